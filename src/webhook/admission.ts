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

/**
 * Bounds the work in hand, and lets no owner's crowd delay another owner: the owners who wait take turns, and when no
 * more can wait, the newest of the longest line gives way.
 */
export function fairQueue({ atOnce, atOnceEach, waiting, waitMs }: FairQueueBounds): FairQueue {
  /** Of owners who have waiters, each in the order in which they came; whose turn is next comes first. */
  const lines = new Map<string, Set<Waiter>>()
  const running = new Map<string, number>()
  let [runningInAll, waitingInAll] = [0, 0]

  function hasRoomFor(owner: string): boolean {
    return runningInAll < atOnce && (running.get(owner) ?? 0) < atOnceEach
  }

  function count(owner: string, change: 1 | -1): void {
    runningInAll += change
    const ofOwner = (running.get(owner) ?? 0) + change
    if (ofOwner > 0) running.set(owner, ofOwner)
    else running.delete(owner)
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
    for (const [owner, line] of lines) {
      if (!hasRoomFor(owner)) continue
      const [next] = line
      // Whoever had a turn comes last from now on.
      lines.delete(owner)
      lines.set(owner, line)
      count(owner, 1)
      next?.begin()
      return
    }
  }

  return {
    async run(owner, task) {
      if (hasRoomFor(owner)) count(owner, 1)
      else await untilItsTurn(owner)
      try {
        return await task()
      } finally {
        count(owner, -1)
        passOn()
      }
    },
  }
}
