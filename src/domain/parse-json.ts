/** What the JSON text says; undefined for any other text. Throws nothing: the error would quote the text. */
export function parseJson(text: string): unknown {
  try {
    // Most answers have no body.
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
