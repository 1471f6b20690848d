import { createHmac, timingSafeEqual } from 'node:crypto'

/** The 20 bytes that the x-vercel-signature header stands for; undefined when it cannot be anybody's signature. */
export function parseSignature(header: string | undefined): Buffer | undefined {
  return header && /^[0-9a-f]{40}$/.test(header) ? Buffer.from(header, 'hex') : undefined
}

/**
 * Answers true when one of the secrets signed exactly these bytes: Vercel sends the lower-case hex HMAC-SHA1 of the
 * raw body, keyed with the integration's client secret (https://vercel.com/docs/webhooks/webhooks-api). Takes the
 * same time wherever a wrong signature differs.
 */
export function verifySignature(
  rawBody: Uint8Array,
  signature: Buffer,
  secrets: readonly string[],
): boolean {
  // Every secret is tried, so that the answer's time does not tell which one fits.
  return secrets
    .map((secret) =>
      timingSafeEqual(createHmac('sha1', secret).update(rawBody).digest(), signature),
    )
    .includes(true)
}
