import { setTimeout as sleep } from 'node:timers/promises'

/** Bells for those who wait for news of a branch. All of it is in memory, for as long as somebody listens. */
export interface Bells {
  /** Wakes whoever listens for this name. Does nothing where nobody does. */
  ring(name: string): void
  listen(name: string): Bell
}

export interface Bell {
  /**
   * Resolves after so many milliseconds, or as soon as it has rung since the last wait. Rejects with the reason when
   * the signal aborts.
   */
  wait(ms: number, signal: AbortSignal): Promise<void>
  stop(): void
}

export function createBells(): Bells {
  const listeners = new Map<string, Set<() => void>>()
  return {
    ring(name) {
      for (const hear of listeners.get(name) ?? []) hear()
    },

    listen(name) {
      let rung = new AbortController()
      const hear = () => rung.abort()
      const listening = listeners.get(name) ?? new Set()
      listeners.set(name, listening.add(hear))
      return {
        async wait(ms, signal) {
          const woken = AbortSignal.any([signal, rung.signal])
          await sleep(ms, undefined, { signal: woken }).catch(() => {})
          signal.throwIfAborted()
          if (rung.signal.aborted) rung = new AbortController()
        },
        stop() {
          listening.delete(hear)
          if (listening.size === 0 && listeners.get(name) === listening) listeners.delete(name)
        },
      }
    },
  }
}
