import { createRequestCounter } from '../../src/simulator/count-requests.ts'
import { createUpdatePace } from '../../src/vercel/update-pace.ts'

const LIMIT = { updates: 100, windowMs: 60_000 }

export interface Crowd {
  /** How Vercel counts: nobody outside knows. */
  readonly counter: 'fixed' | 'sliding'
  readonly processes?: number
  /** Terminal updates that each process wants to send at once. */
  readonly updates: number
  /** What a former process sent just before. */
  readonly sentBefore?: number
  /** How many updates a process gets to in a second. */
  readonly perSecond?: number
  /** The longest way to Vercel, and as long back. */
  readonly wayMs?: number
  /** By how much one comes back late, at most. */
  readonly lateMs?: number
}

export interface CrowdResult {
  readonly calls: number
  readonly refused: number
  readonly taken: number
  readonly lastTakenAt: number
  /** How often the update asked that asked most. */
  readonly mostAsks: number
  /** The updates as Vercel took them. */
  readonly order: readonly number[]
}

/** Sends all updates of one installation against Vercel's counter, in virtual time, as the workflows would. */
export function playCrowd(crowd: Crowd): CrowdResult {
  const { counter, processes = 1, updates, sentBefore = 0 } = crowd
  const { perSecond = Infinity, wayMs = 0, lateMs = 0 } = crowd
  const agenda = createAgenda()
  const random = createRandom(7)
  const refuses = counter === 'fixed' ? fixedWindow(agenda.now) : slidingWindow(agenda.now)
  for (let sent = 0; sent < sentBefore; sent += 1) refuses()

  const result = { calls: 0, refused: 0, taken: 0, lastTakenAt: 0, mostAsks: 0 }
  const order: number[] = []
  for (let process = 0; process < processes; process += 1) {
    const pace = createUpdatePace({ ...LIMIT, now: agenda.now })
    let workerFreeAt = 0
    const inTurn = (delayMs: number, step: () => void) =>
      agenda.after(delayMs, () => {
        const beginsAt = Math.max(agenda.now(), workerFreeAt)
        workerFreeAt = beginsAt + 1000 / perSecond
        agenda.after(beginsAt - agenda.now(), step)
      })
    for (let update = 0; update < updates; update += 1) {
      let asks = 0
      const ask = () => {
        asks += 1
        result.mostAsks = Math.max(result.mostAsks, asks)
        const admission = pace.admitTerminal({ installationId: 'icfg_1', ticket: `${update}` })
        if (admission.admitted) agenda.after(random() * wayMs, arrive)
        else inTurn(admission.afterMs + random() * lateMs, ask)
      }
      const arrive = () => {
        result.calls += 1
        const retryAfterMs = refuses()
        agenda.after(random() * wayMs, () => {
          if (retryAfterMs === undefined) {
            result.taken += 1
            result.lastTakenAt = agenda.now()
            order.push(update)
            return
          }
          result.refused += 1
          pace.refused('icfg_1', retryAfterMs)
          inTurn(retryAfterMs, ask)
        })
      }
      inTurn(0, ask)
    }
  }
  agenda.run()
  return { ...result, order }
}

/** Answers how long to wait, when it refuses. Counts what it refuses, as the local Vercel does. */
function fixedWindow(now: () => number): () => number | undefined {
  const count = createRequestCounter(now)
  return () => {
    const { exceeded, resetMs } = count('token', { ...LIMIT, total: LIMIT.updates })
    return exceeded ? resetMs - now() : undefined
  }
}

function slidingWindow(now: () => number): () => number | undefined {
  let taken: number[] = []
  return () => {
    taken = taken.filter((at) => at > now() - LIMIT.windowMs)
    if (taken.length >= LIMIT.updates) return taken[0]! + LIMIT.windowMs - now()
    taken.push(now())
    return undefined
  }
}

/** Steps at moments of a virtual time, run in order; those of one moment as they were entered. */
function createAgenda() {
  let clock = 0
  const steps = new Map<number, (() => void)[]>()
  return {
    now: () => clock,
    after(delayMs: number, step: () => void) {
      const at = clock + Math.ceil(delayMs)
      steps.set(at, [...(steps.get(at) ?? []), step])
    },
    run() {
      while (steps.size > 0) {
        clock = Math.min(...steps.keys())
        const due = steps.get(clock) ?? []
        steps.delete(clock)
        for (const step of due) step()
      }
    },
  }
}

function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
