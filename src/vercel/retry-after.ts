import { boundedWaitMs, retryAfterMs } from '../domain/retry-after.ts'

/**
 * How long Vercel asks us to wait, in milliseconds from `nowMs`: by `Retry-After`, else by `error.limit.reset` (epoch
 * seconds) of the body, else undefined. Never negative, at most 5 minutes.
 */
export function vercelWaitMs(
  retryAfter: string | undefined,
  limit: { reset?: number | undefined } | undefined,
  nowMs: number,
): number | undefined {
  const byHeader = retryAfterMs(retryAfter, nowMs)
  if (byHeader !== undefined || limit?.reset === undefined) return byHeader
  return boundedWaitMs(limit.reset * 1000 - nowMs)
}
