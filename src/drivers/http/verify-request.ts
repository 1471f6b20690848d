import { timingSafeEqual } from 'node:crypto'
import type { Secret } from '../../domain/secret.ts'
import { parseSecrets, signatureOf, type SignedContent } from '../../signing/sign-request.ts'

export interface HttpDriverRequest extends SignedContent {
  /** By their lower-case names, as Node has them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** How far the two clocks may be apart, and how long a request may be on its way. */
const TOLERANCE_SECONDS = 300

/**
 * Answers true when one of the secrets (two with a comma between, while they are rotated) signed exactly this request
 * within five minutes of now. For a provider, of what Holdpoint sends. Give `path` as it came, `request.url` in Node,
 * and the bytes of the body before they are parsed. Takes the same time wherever a wrong signature differs, and never
 * throws on headers that anybody may have sent.
 */
export function verifyHttpDriverRequest(
  request: HttpDriverRequest,
  { secret, now = new Date() }: { readonly secret: string; readonly now?: Date },
): boolean {
  return isSignedBy(request, parseSecrets(secret), now)
}

/** The same, of secrets that were read already. */
export function isSignedBy(
  request: HttpDriverRequest,
  secrets: readonly Secret[],
  now = new Date(),
): boolean {
  const timestamp = only(request.headers['holdpoint-timestamp'])
  const given = parseSignatures(only(request.headers['holdpoint-signature']))
  if (!/^\d{1,12}$/.test(timestamp)) return false
  const ageSeconds = Math.abs(now.getTime() / 1000 - Number(timestamp))
  if (ageSeconds > TOLERANCE_SECONDS) return false
  // All are compared, so that the answer's time does not tell which one fits.
  return secrets
    .map((secret) => signatureOf(request, timestamp, secret))
    .flatMap((expected) => given.map((signature) => timingSafeEqual(signature, expected)))
    .includes(true)
}

function only(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : ''
}

function parseSignatures(header: string): Buffer[] {
  return header
    .split(',')
    .map((part) => /^v1=([0-9a-f]{64})$/.exec(part.trim())?.[1])
    .flatMap((hex) => (hex === undefined ? [] : [Buffer.from(hex, 'hex')]))
}
