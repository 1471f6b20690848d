import { setTimeout as delay } from 'node:timers/promises'

/** Spreads calls over time, however many want to be made at once. */
export interface Pace {
  /** Returns when the next call may be made. Throws when the signal aborts. */
  next(signal: AbortSignal): Promise<void>
  /** Holds all calls back for so long. */
  rest(forMs: number): void
}

/** One call every `everyMs` at most. */
export function pace(everyMs: number): Pace {
  let freeAt = 0
  return {
    async next(signal) {
      const now = Date.now()
      const mine = Math.max(freeAt, now)
      freeAt = mine + everyMs
      if (mine > now) await delay(mine - now, undefined, { signal })
    },
    rest(forMs) {
      freeAt = Math.max(freeAt, Date.now() + forMs)
    },
  }
}
