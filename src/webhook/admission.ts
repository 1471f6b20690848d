import { setTimeout as pause } from 'node:timers/promises'

/** The least that a body counts for, in bytes: about what a request costs besides. */
const LEAST_BYTES = 16 * 1024

/** A body's place in a room, until `leave`. */
export interface Place {
  /** Aborted when the place was given to a newer body. */
  readonly givenUp: AbortSignal
  /** The body is here, of so many bytes, and signed: it counts for no more, and its place is not taken away. */
  keep(bytes: number): void
  /** The second time it does nothing. */
  leave(): void
}

export interface BodyRoom {
  /** A place for a body of at most so many bytes; undefined when signed bodies alone leave none. */
  enter(bytes: number): Place | undefined
}

/**
 * Bounds the bodies in hand by the bytes that they may come to. When there is no room left, the bodies that have been
 * coming in for longest give way: a webhook comes in at once, and nobody can fill the room by sending slowly.
 */
export function bodyRoom(capacityBytes: number): BodyRoom {
  const comingIn = new Set<Place & { giveUp(): void }>()
  let taken = 0
  let kept = 0
  return {
    enter(bytes) {
      let size = Math.max(bytes, LEAST_BYTES)
      if (kept + size > capacityBytes) return undefined
      for (const oldest of comingIn) {
        if (taken + size <= capacityBytes) break
        oldest.giveUp()
      }
      const eviction = new AbortController()
      let state: 'coming in' | 'kept' | 'left' = 'coming in'
      const place = {
        givenUp: eviction.signal,
        giveUp() {
          place.leave()
          eviction.abort()
        },
        keep(actualBytes: number) {
          if (state !== 'coming in') return
          state = 'kept'
          taken -= size
          size = Math.max(actualBytes, LEAST_BYTES)
          taken += size
          kept += size
          comingIn.delete(place)
        },
        leave() {
          if (state === 'left') return
          if (state === 'kept') kept -= size
          state = 'left'
          taken -= size
          comingIn.delete(place)
        },
      }
      taken += size
      comingIn.add(place)
      return place
    },
  }
}

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

  function begin(owner: string): void {
    runningInAll += 1
    running.set(owner, (running.get(owner) ?? 0) + 1)
  }

  async function end(owner: string, tookMs: number): Promise<void> {
    runningInAll -= 1
    if (isCrowdAmongOthers(owner)) {
      passOn()
      await pause(Math.min(tookMs, LONGEST_PAUSE_MS))
    }
    const left = (running.get(owner) ?? 0) - 1
    if (left > 0) running.set(owner, left)
    else running.delete(owner)
    passOn()
  }

  function leave(owner: string, waiter: Waiter): void {
    const line = lines.get(owner)
    if (!line?.delete(waiter)) return
    waitingInAll -= 1
    if (line.size === 0) lines.delete(owner)
  }

  function untilItsTurn(owner: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer)
        leave(owner, waiter)
        settle()
      }
      const waiter = {
        begin: () => end(resolve),
        refuse: () => end(() => reject(new Overloaded('There was no turn for it.'))),
      }
      const timer = setTimeout(waiter.refuse, waitMs)
      const line = lines.get(owner) ?? new Set()
      lines.set(owner, line.add(waiter))
      waitingInAll += 1
      if (waitingInAll > waiting) newestOfTheLongest()?.refuse()
    })
  }

  function newestOfTheLongest(): Waiter | undefined {
    const [longest] = [...lines.values()].sort((a, b) => b.size - a.size)
    return [...(longest ?? [])].at(-1)
  }

  function passOn(): void {
    const turn = [...lines].find(([owner]) => hasRoomFor(owner))
    if (!turn) return
    const [owner, line] = turn
    const [next] = line
    // Whoever had a turn comes last from now on.
    lines.delete(owner)
    lines.set(owner, line)
    begin(owner)
    next?.begin()
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
