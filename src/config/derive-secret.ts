import { createHmac } from 'node:crypto'
import { Secret } from '../domain/secret.ts'

/**
 * A function that derives secrets from one key: the same purpose gives the same 43 letters, digits, `-` and `_`, on
 * every machine with that key. Nobody can tell the key or another purpose's secret from one of them.
 */
export function secretDeriver(key: Uint8Array | string): (purpose: string) => Secret {
  return (purpose) =>
    new Secret(createHmac('sha256', key).update(`holdpoint/1 ${purpose}`).digest('base64url'))
}
