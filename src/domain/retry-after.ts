const LONGEST_MS = 5 * 60_000

/**
 * How long a `Retry-After` header asks to wait, in seconds or as a date: in milliseconds from `nowMs`, never negative, at
 * most five minutes. Undefined when it says nothing.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isNaN(waitMs) ? undefined : boundedWaitMs(waitMs)
}

/** Never negative, and at most five minutes. */
export function boundedWaitMs(waitMs: number): number {
  return Math.min(Math.max(waitMs, 0), LONGEST_MS)
}
