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
