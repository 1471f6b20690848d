/** So many requests in each window; `Infinity` lifts the limit. */
export interface RateLimit {
  readonly total: number
  readonly windowMs: number
}

/** What the window of one counted thing looks like after a request was counted. */
export interface RateReading {
  readonly exceeded: boolean
  readonly total: number
  readonly remaining: number
  /** When the window ends, in milliseconds since the epoch. */
  readonly resetMs: number
}

/** Counts requests by name, a token for instance, in fixed windows; a window opens with the first request after the last one ended. */
export function createRequestCounter(now: () => number) {
  const windows = new Map<string, { readonly startedAt: number; count: number }>()
  return function countRequest(counted: string, limit: RateLimit): RateReading {
    const open = windows.get(counted)
    const window =
      open && now() < open.startedAt + limit.windowMs ? open : { startedAt: now(), count: 0 }
    window.count += 1
    windows.set(counted, window)
    return {
      exceeded: window.count > limit.total,
      total: limit.total,
      remaining: Math.max(0, limit.total - window.count),
      resetMs: window.startedAt + limit.windowMs,
    }
  }
}
