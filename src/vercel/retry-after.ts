const MAX_WAIT_MS = 5 * 60_000

/**
 * How long Vercel asks us to wait, in milliseconds from `nowMs`: `Retry-After` in seconds or as a date, else
 * `error.limit.reset` (epoch seconds) of the body, else undefined. Never negative, at most 5 minutes.
 */
export function retryAfterMs(
  retryAfter: string | undefined,
  limit: { reset?: number | undefined } | undefined,
  nowMs: number,
): number | undefined {
  const header = retryAfter?.trim()
  const wait = header ? headerWaitMs(header, nowMs) : undefined
  const byReset = limit?.reset === undefined ? undefined : limit.reset * 1000 - nowMs
  const chosen = wait ?? byReset
  return chosen === undefined ? undefined : Math.min(Math.max(chosen, 0), MAX_WAIT_MS)
}

function headerWaitMs(header: string, nowMs: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : date - nowMs
}
