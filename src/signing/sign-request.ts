import { createHash, createHmac } from 'node:crypto'
import { Secret } from '../domain/secret.ts'

/** What a signature stands for. */
export interface SignedContent {
  readonly method: string
  /** Path and query as they stand in the request line, percent-encoded. */
  readonly path: string
  /** Empty for a request without one. */
  readonly body: string | Uint8Array
}

/**
 * The headers that sign a request at this time (milliseconds since 1970): one signature for each secret, so that the
 * other side knows one of them while they are being rotated. docs/http-driver.md tells what is signed, byte by byte; the same everywhere that Holdpoint signs.
 */
export function signRequest(
  content: SignedContent,
  secrets: readonly Secret[],
  nowMs = Date.now(),
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const signatures = secrets.map(
    (secret) => `v1=${signatureOf(content, timestamp, secret).toString('hex')}`,
  )
  return { 'holdpoint-timestamp': timestamp, 'holdpoint-signature': signatures.join(',') }
}

/** The HMAC-SHA256 that the secret makes of the request. */
export function signatureOf(
  { method, path, body }: SignedContent,
  timestamp: string,
  secret: Secret,
): Buffer {
  const digest = createHash('sha256').update(body).digest('hex')
  const signed = ['v1', timestamp, method.toUpperCase(), path, digest].join('\n')
  return createHmac('sha256', secret.reveal()).update(signed).digest()
}

/** The secrets of a setting: one, or two with a comma between. Whitespace around them does not count. */
export function parseSecrets(text: string): Secret[] {
  const parts = text.split(',').map((part) => part.trim())
  return parts.filter((part) => part !== '').map((part) => new Secret(part))
}
