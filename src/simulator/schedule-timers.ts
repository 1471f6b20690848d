/** One pending timer per owner. */
export interface Timers<Owner> {
  /** Runs once after `ms`, in place of what was scheduled for this owner before. */
  readonly schedule: (owner: Owner, ms: number, run: () => void) => void
  readonly unschedule: (owner: Owner) => void
  readonly clear: () => void
}

export function createTimers<Owner>(): Timers<Owner> {
  const timers = new Map<Owner, NodeJS.Timeout>()
  return {
    schedule(owner, ms, run) {
      clearTimeout(timers.get(owner))
      const timer = setTimeout(() => {
        timers.delete(owner)
        run()
      }, ms)
      timers.set(owner, timer)
    },
    unschedule(owner) {
      clearTimeout(timers.get(owner))
      timers.delete(owner)
    },
    clear() {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
