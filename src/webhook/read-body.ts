/**
 * Reads a body to its end: its bytes, or why there are none. `too_large` is found at the first byte over `maxBytes`,
 * `gave_way` at the moment `givenUp` is aborted; both leave the rest unread. `broken_off` means that the sender, or the
 * server for its slowness, ended the connection. Never throws.
 */
export async function readBody(
  { body }: Request,
  { maxBytes, givenUp }: { maxBytes: number; givenUp: AbortSignal },
): Promise<Uint8Array | 'too_large' | 'gave_way' | 'broken_off'> {
  const reader = body?.getReader()
  givenUp.addEventListener('abort', () => void reader?.cancel())
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for (;;) {
      const chunk = await reader?.read()
      if (givenUp.aborted) return 'gave_way'
      if (!chunk || chunk.done) return Buffer.concat(chunks, bytes)
      bytes += chunk.value.length
      if (bytes > maxBytes) return 'too_large'
      chunks.push(chunk.value)
    }
  } catch {
    return 'broken_off'
  }
}
