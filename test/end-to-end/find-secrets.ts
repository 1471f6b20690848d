/** As long a part of a secret as may not be seen anywhere. */
const PART = 12

/**
 * The names of the secrets of which the text holds the whole or a part of 12 characters: in clear, percent-encoded,
 * as hex, or in base64 of whatever it stands in. Shorter secrets are looked for as a whole.
 */
export function findSecrets(text: string, secrets: Readonly<Record<string, string>>): string[] {
  // URLs and JSON escape characters that secrets may have; base64 comes in two alphabets.
  const haystack = text.replaceAll('-', '+').replaceAll('_', '/')
  return Object.entries(secrets)
    .filter(([, secret]) => encodings(secret).some((encoding) => haystack.includes(encoding)))
    .map(([name]) => name)
}

function encodings(secret: string): string[] {
  return [...parts(secret), ...parts(encodeURIComponent(secret))]
    .flatMap((part) => [
      part,
      JSON.stringify(part).slice(1, -1),
      Buffer.from(part).toString('hex'),
      // Parts begin at every character, so one of them begins where a group of three bytes does.
      Buffer.from(part).toString('base64').replaceAll('=', ''),
    ])
    .map((encoding) => encoding.replaceAll('-', '+').replaceAll('_', '/'))
}

function parts(secret: string): string[] {
  if (secret.length <= PART) return [secret]
  return Array.from({ length: secret.length - PART + 1 }, (_, start) =>
    secret.slice(start, start + PART),
  )
}
