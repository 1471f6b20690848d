import { createHmac, timingSafeEqual } from 'node:crypto'

/** Whether it could be a signature at all: anything else is refused before its body is read. */
export function isSignature(header: string | undefined): header is string {
  return header !== undefined && /^[0-9a-f]{40}$/.test(header)
}

/**
 * Answers true when one of the secrets signed exactly these bytes: Vercel sends the lower-case hex HMAC-SHA1 of the
 * raw body, keyed with the integration's client secret (https://vercel.com/docs/webhooks/webhooks-api). Takes the
 * same time wherever a wrong signature differs. Never throws on a malformed header.
 */
export function verifySignature(
  rawBody: Uint8Array,
  signature: string | undefined,
  secrets: readonly string[],
): boolean {
  if (!isSignature(signature)) return false
  const given = Buffer.from(signature, 'hex')
  // Every secret is tried, so that the answer's time does not tell which one fits.
  return secrets
    .map((secret) => timingSafeEqual(createHmac('sha1', secret).update(rawBody).digest(), given))
    .includes(true)
}
