import { setTimeout as pause } from 'node:timers/promises'

export interface FairQueue {
  /**
   * Runs the task when its turn comes; answers or throws what it does. Throws `Overloaded` when it got no turn: nothing
   * of it was done then.
   */
  run<Result>(owner: string, task: () => Promise<Result>): Promise<Result>
}

/** More came in than can be held. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded'
}

export interface FairQueueBounds {
  /** How many tasks run at the same time. */
  readonly atOnce: number
  /** How many of one owner. */
  readonly atOnceEach: number
  /** How many more wait for their turn. */
  readonly waiting: number
  /** How long each of them waits at most, in milliseconds. */
  readonly waitMs: number
}

interface Waiter {
  begin(): void
  refuse(): void
}

/** For how long an owner who came counts as one whom others could disturb. */
const ABOUT_MS = 60_000
// A task that took longer than that waited for something; it did not work.
const LONGEST_PAUSE_MS = 200

/**
 * Bounds the work in hand, and lets no owner's crowd delay another owner: the owners who wait take turns, and when no
 * more can wait, the newest of the longest line gives way. What comes after a task takes power too, more than the task:
 * so while others are about, those who wait go one by one, with a pause after each for as long as it took.
 */
export function fairQueue({ atOnce, atOnceEach, waiting, waitMs }: FairQueueBounds): FairQueue {
  /** Of owners who have waiters, each in the order in which they came; whose turn is next comes first. */
  const lines = new Map<string, Set<Waiter>>()
  /** By owner, those that pause included. */
  const running = new Map<string, number>()
  let [runningInAll, waitingInAll] = [0, 0]
  /** The last owner who came, and the last one before who was another. */
  let [last, lastOther] = [
    { owner: '', at: -Infinity },
    { owner: '', at: -Infinity },
  ]

  function come(owner: string): void {
    if (owner !== last.owner) lastOther = last
    last = { owner, at: performance.now() }
  }

  function isCrowdAmongOthers(owner: string): boolean {
    const other = owner === last.owner ? lastOther : last
    return lines.has(owner) && performance.now() - other.at < ABOUT_MS
  }

  function hasRoomFor(owner: string): boolean {
    const most = isCrowdAmongOthers(owner) ? 1 : atOnceEach
    return runningInAll < atOnce && (running.get(owner) ?? 0) < most
  }

  function count(owner: string, change: 1 | -1): void {
    const ofOwner = (running.get(owner) ?? 0) + change
    if (ofOwner > 0) running.set(owner, ofOwner)
    else running.delete(owner)
  }

  function begin(owner: string): void {
    runningInAll += 1
    count(owner, 1)
  }

  async function end(owner: string, tookMs: number): Promise<void> {
    runningInAll -= 1
    if (isCrowdAmongOthers(owner)) {
      passOn()
      await pause(Math.min(tookMs, LONGEST_PAUSE_MS))
    }
    count(owner, -1)
    passOn()
  }

  function untilItsTurn(owner: string): Promise<void> {
    const line = lines.get(owner) ?? new Set<Waiter>()
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void) => {
        clearTimeout(timer)
        line.delete(waiter)
        if (line.size === 0) lines.delete(owner)
        waitingInAll -= 1
        settle()
      }
      const waiter = {
        begin: () => leave(resolve),
        refuse: () => leave(() => reject(new Overloaded('There was no turn for it.'))),
      }
      const timer = setTimeout(waiter.refuse, waitMs)
      lines.set(owner, line.add(waiter))
      waitingInAll += 1
      if (waitingInAll > waiting) newestOfTheLongest(line).refuse()
    })
  }

  /** Of two that are as long, that of whoever came last. */
  function newestOfTheLongest(last: ReadonlySet<Waiter>): Waiter {
    const longest = [...lines.values()].reduce(
      (longest, line) => (line.size > longest.size ? line : longest),
      last,
    )
    return [...longest].at(-1)!
  }

  function passOn(): void {
    const turn = [...lines].find(([owner]) => hasRoomFor(owner))
    if (!turn) return
    const [owner, line] = turn
    // Whoever had a turn comes last from now on.
    lines.delete(owner)
    lines.set(owner, line)
    begin(owner)
    const [next] = line
    next!.begin()
    passOn()
  }

  return {
    async run(owner, task) {
      come(owner)
      if (hasRoomFor(owner)) begin(owner)
      else await untilItsTurn(owner)
      const begunAt = performance.now()
      try {
        return await task()
      } finally {
        void end(owner, performance.now() - begunAt)
      }
    },
  }
}
