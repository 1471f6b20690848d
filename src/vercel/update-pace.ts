/** Vercel takes this many action-status updates a window; 100 in 60 seconds. */
export interface UpdateLimit {
  readonly updates: number
  readonly windowMs: number
}

export type Admission =
  /** It counts as sent: send it at once. */
  | { readonly admitted: true }
  /** A place is kept for it: ask again in so many milliseconds, and not earlier. */
  | { readonly admitted: false; readonly afterMs: number }

export interface TerminalUpdate {
  readonly installationId: string
  /** Names the update when it comes back: the action's workflow id. */
  readonly ticket: string
}

/**
 * Keeps the updates of each installation within the limit, in this process. Nothing waits in here: who may not send
 * yet is told for how long. All of it is in memory, for as long as an installation sends.
 */
export interface UpdatePace {
  /**
   * Whether this `succeeded` or `failed` may be sent now. One that may not has a place from then on, and who comes
   * back at its time may send, unless Vercel refused somebody meanwhile. Nobody who came later is served at its cost.
   * The second time it keeps its place; a place that nobody came back to is free again 10 seconds after its time.
   */
  admitTerminal(update: TerminalUpdate): Admission
  /** Whether a `running` may be sent now: only if that delays no terminal status. One that may not is dropped. */
  admitRunning(installationId: string): boolean
  /**
   * Vercel answered 429, for somebody else uses the same token: nothing is sent for so long (milliseconds; when Vercel
   * does not say, a second, and twice as long each time until one is taken), and less than the limit
   * for some time after that.
   */
  refused(installationId: string, retryAfterMs: number | undefined): void
  /** Vercel took an update, so it takes more. */
  taken(installationId: string): void
  /** Gives back the place of an action that was withdrawn. Does nothing when it has none. */
  leave(update: TerminalUpdate): void
}

// Updates that were sent a window apart may reach Vercel closer together.
const ARRIVAL_MARGIN_MS = 1_000
// Places are given this much later than needed, so that one who is late does not send away who comes a window later.
const LATENESS_MS = 1_000
// A line that moves in waves would take the workers from all other installations for as long as each wave lasts. At 100
// a minute this spreads one over 18 seconds; and the first 429 stops what comes behind it.
const BETWEEN_PLACES_MS = 180
const PLACE_KEPT_MS = 10_000
/** The part of the limit that `running` leaves to terminal statuses. */
const KEPT_FOR_TERMINALS = 0.4
/** Of one installation: more would wait for longer than a build takes. They are told when to ask, without a place. */
const MOST_PLACES = 5_000

// Processes that share a token know nothing of one another but the 429 they cause.
const SHARE_AFTER_REFUSAL = 0.75
const SHARE_GROWTH_PER_WINDOW = 0.05
/** However often Vercel refuses: it may be for another reason. */
const LEAST_SHARE = 0.2
// Of a 429 that does not say when to come back.
const FIRST_PAUSE_MS = 1_000

interface Lane {
  /** When updates were sent, ascending. */
  sent: number[]
  /** When the next try of each ticket is due, in the order in which they first came. */
  readonly places: Map<string, number>
  closedUntil: number
  /** Of the limit, when `closedUntil` has come; grows again from there. */
  share: number
  /** For how long Vercel's next refusal closes the lane, if it does not say. */
  pauseMs: number
}

/** `now` is in milliseconds, and must never go back. */
export function createUpdatePace({
  updates,
  windowMs,
  now = () => performance.now(),
}: UpdateLimit & { readonly now?: () => number }): UpdatePace {
  const spanMs = windowMs + ARRIVAL_MARGIN_MS
  const lanes = new Map<string, Lane>()
  const begunAt = now()
  let tidiedAt = begunAt

  function laneOf(installationId: string, at: number): Lane {
    if (at - tidiedAt > windowMs) {
      tidiedAt = at
      for (const [id, lane] of lanes) if (isIdle(tidy(lane, at), at)) lanes.delete(id)
    }
    const lane = lanes.get(installationId)
    if (lane) return tidy(lane, at)
    const fresh = {
      sent: [],
      places: new Map(),
      closedUntil: at,
      share: 1,
      pauseMs: FIRST_PAUSE_MS,
    }
    lanes.set(installationId, fresh)
    return fresh
  }

  function tidy(lane: Lane, at: number): Lane {
    lane.sent = lane.sent.filter((sentAt) => sentAt > at - spanMs - LATENESS_MS)
    for (const [ticket, dueAt] of lane.places)
      if (dueAt + PLACE_KEPT_MS < at) lane.places.delete(ticket)
    return lane
  }

  function isIdle(lane: Lane, at: number): boolean {
    const { sent, places, closedUntil } = lane
    return sent.length + places.size === 0 && at >= closedUntil && shareOf(lane, at) === 1
  }

  function shareOf({ share, closedUntil }: Lane, at: number): number {
    if (at < closedUntil) return share
    return Math.min(1, share + (SHARE_GROWTH_PER_WINDOW * (at - closedUntil)) / windowMs)
  }

  function limitOf(lane: Lane, at: number): number {
    return Math.max(1, Math.floor(updates * shareOf(lane, at)))
  }

  return {
    admitTerminal({ installationId, ticket }) {
      const at = now()
      const lane = laneOf(installationId, at)
      const limit = limitOf(lane, at)
      const ahead = [...lane.sent, ...placesBefore(ticket, lane.places)].sort((a, b) => a - b)
      const from = Math.max(at, lane.closedUntil)
      if (earliest(ahead, from, limit, spanMs) <= at) {
        lane.places.delete(ticket)
        lane.sent.push(at)
        return { admitted: true }
      }
      const dueAt = earliestApart(ahead, from, limit, spanMs + LATENESS_MS)
      if (lane.places.has(ticket) || lane.places.size < MOST_PLACES) lane.places.set(ticket, dueAt)
      return { admitted: false, afterMs: Math.ceil(dueAt - at) }
    },

    admitRunning(installationId) {
      const at = now()
      const lane = laneOf(installationId, at)
      const spare = limitOf(lane, at) - lane.sent.length - 1
      if (at < lane.closedUntil || lane.places.size > 0) return false
      if (spare < updates * KEPT_FOR_TERMINALS) return false
      lane.sent.push(at)
      return true
    },

    refused(installationId, retryAfterMs) {
      const at = now()
      const lane = laneOf(installationId, at)
      // In the first window it may be for what was sent before a restart; and those in flight with the first one that
      // was refused tell nothing new.
      const isNews = at >= lane.closedUntil
      if (isNews && at >= begunAt + spanMs)
        lane.share = Math.max(shareOf(lane, at) * SHARE_AFTER_REFUSAL, LEAST_SHARE)
      if (retryAfterMs !== undefined) {
        lane.closedUntil = Math.max(lane.closedUntil, at + retryAfterMs)
      } else if (isNews) {
        lane.closedUntil = at + lane.pauseMs
        lane.pauseMs = Math.min(2 * lane.pauseMs, windowMs)
      }
    },

    taken(installationId) {
      const lane = lanes.get(installationId)
      if (lane) lane.pauseMs = FIRST_PAUSE_MS
    },

    leave({ installationId, ticket }) {
      lanes.get(installationId)?.places.delete(ticket)
    },
  }
}

function placesBefore(ticket: string, places: ReadonlyMap<string, number>): number[] {
  const dueAt = []
  for (const [other, otherDueAt] of places) {
    if (other === ticket) break
    dueAt.push(otherDueAt)
  }
  return dueAt
}

/** The first moment from `from` on at which one more leaves no `spanMs` with more than `limit`. `times` ascend. */
function earliest(times: readonly number[], from: number, limit: number, spanMs: number): number {
  let moment = from
  for (let index = 0; index + limit <= times.length; index += 1) {
    const [first, last] = [times[index]!, times[index + limit - 1]!]
    if (Math.max(moment, last) - Math.min(moment, first) < spanMs) moment = first + spanMs
  }
  return moment
}

/** The same, and a little apart from every other. */
function earliestApart(
  times: readonly number[],
  from: number,
  limit: number,
  spanMs: number,
): number {
  for (let moment = from; ;) {
    const within = earliest(times, moment, limit, spanMs)
    const apart = earliest(times, within, 1, BETWEEN_PLACES_MS)
    if (apart === moment) return moment
    moment = apart
  }
}
