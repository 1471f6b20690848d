import { VercelApiError } from '../src/vercel/errors.ts'

/** A token that Vercel still refuses by then will not come back: nothing is held at the provider any more. */
const GIVE_UP_ON_TOKEN_AFTER_ATTEMPTS = 10

/** Whether Vercel does not want to hear of the end of something any more, whatever is tried. */
export function isFinalRefusal(error: unknown, attempt: number): boolean {
  if (!(error instanceof VercelApiError)) return false
  const tokenRefused =
    [401, 403].includes(error.status) && attempt >= GIVE_UP_ON_TOKEN_AFTER_ATTEMPTS
  return !error.retryable || tokenRefused
}
