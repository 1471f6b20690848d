import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/** A process whose work stops with it: what is due for it is dropped when it died, and waits while it stands still. */
export interface Process {
  readonly name: string
  died: boolean
  /** Until when it stands still, in milliseconds of virtual time. */
  standsStillUntil: number
}

export interface Alarm {
  cancel(): void
}

interface Entry {
  at: number
  /** Among entries of one moment, timers of a process come before the answers that waited for it. */
  phase: number
  order: number
  readonly owner: Process | undefined
  /** Undefined once canceled. */
  run: (() => unknown) | undefined
}

/** Which process the code that runs belongs to. One for all clocks: node slows down with each. */
const processes = new AsyncLocalStorage<Process | undefined>()

/** As long a run as no sequence should need. */
const MOST_STEPS = 300_000

/**
 * Time that passes only when nothing is left to do: whoever waits for anything waits here, so that days take
 * milliseconds and the same script gives the same order every time.
 */
export class VirtualClock {
  /** In milliseconds since 1970. */
  now = Date.UTC(2026, 0, 1)
  readonly begin = this.now
  #order = 0
  readonly #heap: Entry[] = []
  readonly #atOnce: Promise<unknown>[] = []

  /** Runs `action`, and whatever it starts, as work of the process. */
  within<T>(process: Process | undefined, action: () => T): T {
    return processes.run(process, action)
  }

  get process(): Process | undefined {
    return processes.getStore()
  }

  /** Runs `action` after this many milliseconds, as work of `owner`: the process that asks for it, unless told. */
  after(
    delayMs: number,
    action: () => unknown,
    { owner = this.process, timer = false }: { owner?: Process | undefined; timer?: boolean } = {},
  ): Alarm {
    const entry: Entry = {
      at: this.now + delayMs,
      phase: timer ? 0 : 1,
      order: this.#order++,
      owner,
      run: action,
    }
    this.#push(entry)
    return { cancel: () => void (entry.run = undefined) }
  }

  /** As `after`, for what belongs to no process of ours. */
  outside(delayMs: number, action: () => unknown): Alarm {
    const entry = {
      at: this.now + delayMs,
      phase: 1,
      order: this.#order++,
      owner: undefined,
      run: action,
    }
    this.#push(entry)
    return { cancel: () => void (entry.run = undefined as never) }
  }

  /** Waits for this work, which takes no virtual time, before time goes on. */
  takesNoTime(work: Promise<unknown>): void {
    this.#atOnce.push(work)
  }

  /** Lets time pass until nobody waits for anything. Answers whether that came about. */
  async untilQuiet(): Promise<boolean> {
    for (let steps = 0; steps < MOST_STEPS;) {
      const entry = this.#pop()
      if (!entry) return true
      if (!entry.run || entry.owner?.died) continue
      if (entry.owner && entry.owner.standsStillUntil > entry.at) {
        this.#push({ ...entry, at: entry.owner.standsStillUntil })
        continue
      }
      steps++
      this.now = entry.at
      const { run, owner } = entry
      processes.run(owner, run)
      // All promises that this step settles settle before the next one.
      for (let work = this.#atOnce.pop(); work; work = this.#atOnce.pop()) await work
      await new Promise(setImmediate)
    }
    return false
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!before(entry, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = entry
  }

  #pop(): Entry | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (!first || !last || first === last) return first
    let at = 0
    for (;;) {
      let next = 2 * at + 1
      if (next >= heap.length) break
      if (next + 1 < heap.length && before(heap[next + 1]!, heap[next]!)) next++
      if (!before(heap[next]!, last)) break
      heap[at] = heap[next]!
      at = next
    }
    heap[at] = last
    return first
  }
}

function before(one: Entry, other: Entry): boolean {
  return (one.at - other.at || one.phase - other.phase || one.order - other.order) < 0
}

const realDelay = timers.setTimeout
/** The clock of the sequence in hand. */
let current: VirtualClock | undefined

/** Waits as `setTimeout` of `node:timers/promises` does, in virtual time where a sequence is in hand. */
function delay<T>(
  ms?: number,
  value?: T,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const clock = current
  // oxlint-disable-next-line prefer-rest-params -- as it was called
  if (!clock) return realDelay(...(arguments as unknown as Parameters<typeof realDelay<T>>))
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const alarm = clock.after(
      ms ?? 0,
      () => {
        signal?.removeEventListener('abort', giveUp)
        resolve(value as T)
      },
      { timer: true },
    )
    const giveUp = () => {
      alarm.cancel()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}

/**
 * Runs `action` in a world whose time is that of the clock. Nothing else of this process may run meanwhile.
 */
export async function inVirtualTime<T>(clock: VirtualClock, action: () => Promise<T>): Promise<T> {
  const { now } = Date
  const realPerformanceNow = performance.now.bind(performance)
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  const { setInterval, clearInterval } = globalThis
  current = clock
  if (timers.setTimeout !== delay) {
    timers.setTimeout = delay
    syncBuiltinESMExports()
  }
  Date.now = () => clock.now
  performance.now = () => clock.now
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController()
    clock.after(ms, () => controller.abort(new DOMException('timeout', 'TimeoutError')), {
      timer: true,
    })
    return controller.signal
  }
  globalThis.setInterval = ((run: () => void, ms: number) => {
    const interval = { alarm: undefined as Alarm | undefined, over: false }
    const next = () => {
      if (interval.over) return
      interval.alarm = clock.after(
        ms,
        () => {
          run()
          next()
        },
        { timer: true },
      )
    }
    next()
    return interval
  }) as unknown as typeof setInterval
  globalThis.clearInterval = ((interval: { alarm?: Alarm; over: boolean } | undefined) => {
    if (!interval) return
    interval.over = true
    interval.alarm?.cancel()
  }) as typeof clearInterval
  try {
    return await action()
  } finally {
    current = undefined
    Date.now = now
    performance.now = realPerformanceNow
    AbortSignal.timeout = timeout
    Object.assign(globalThis, { setInterval, clearInterval })
  }
}
