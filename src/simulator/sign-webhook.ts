import { createHmac } from 'node:crypto'

/** The value of `x-vercel-signature`: lower-case hex HMAC-SHA1 of exactly these bytes. */
export function signWebhook(rawBody: string | Uint8Array, clientSecret: string): string {
  return createHmac('sha1', clientSecret).update(rawBody).digest('hex')
}
