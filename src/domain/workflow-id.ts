import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/**
 * The workflow id of what these parts name: equal parts give equal ids, different parts different ones, on every
 * machine and in every version. At most 80 characters a part, of `A-Z a-z 0-9 _ . - @`, joined by `~`: the Web UI shows
 * them unescaped.
 */
export function workflowId(kind: string, ...parts: readonly string[]): string {
  return [kind, ...parts.map(idPart)].join('~')
}

/** The first 32 hex digits (128 bits) of the text's SHA-256. */
export function digest(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text))).slice(0, 32)
}

// `~` joins the parts and `@` marks a hashed one, so neither may stand in a part that is kept as it is.
function idPart(part: string): string {
  if (/^[A-Za-z0-9_.-]{1,80}$/.test(part)) return part
  return `${part.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 40)}@${digest(part)}`
}
