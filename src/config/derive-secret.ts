import { createHmac } from 'node:crypto'
import { Secret } from '../domain/secret.ts'

/**
 * A function that derives secrets, one from each key: the same purpose gives the same 43 letters, digits, `-` and
 * `_`, on every machine with that key. Nobody can tell a key or another purpose's secret from one of them.
 */
export function secretDeriver(
  keys: readonly [Uint8Array | string, ...(Uint8Array | string)[]],
): (purpose: string) => readonly [Secret, ...Secret[]] {
  const [current, ...older] = keys
  return (purpose) => [derive(current, purpose), ...older.map((key) => derive(key, purpose))]
}

function derive(key: Uint8Array | string, purpose: string): Secret {
  return new Secret(createHmac('sha256', key).update(`holdpoint/1 ${purpose}`).digest('base64url'))
}
