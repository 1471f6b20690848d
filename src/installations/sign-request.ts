import { createHash, createHmac } from 'node:crypto'
import type { Secret } from '../domain/secret.ts'

/**
 * The headers that sign a request without a body at this time (milliseconds since 1970): one signature for each secret,
 * so that the other side knows one of them while they are being rotated. Signed are, a line each: `v1`, the timestamp
 * in seconds, the method, path and query as they stand in the request line, and the SHA-256 of the (empty) body.
 */
export function signRequest(
  { method, path }: { method: string; path: string },
  secrets: readonly Secret[],
  nowMs = Date.now(),
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const digest = createHash('sha256').update('').digest('hex')
  const signed = ['v1', timestamp, method, path, digest].join('\n')
  const signatures = secrets.map(
    (secret) => `v1=${createHmac('sha256', secret.reveal()).update(signed).digest('hex')}`,
  )
  return { 'holdpoint-timestamp': timestamp, 'holdpoint-signature': signatures.join(',') }
}
