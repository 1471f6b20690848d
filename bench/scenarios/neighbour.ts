import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type Scenario, warmUp } from '../bench.ts'
import { startAction, type Target } from '../load/action.ts'
import {
  floodFailed,
  floodLost,
  floodTook,
  neighbourActions,
  neighbourBeside,
  neighbourIdle,
  neighbourMeanwhile,
  refusedCalls,
} from '../report/known-figures.ts'
import { percentile } from '../statistics.ts'
import { startSystem } from '../systems/start-system.ts'

const UPDATES_PER_WINDOW = 100
const FLOOD = 600
/** For as long the neighbour is alone first: a p95 needs more than the actions of one. */
const IDLE_WINDOWS = 3
/** Of the neighbour, which reports twice an action and so stays under its own limit. */
const ACTIONS_PER_WINDOW = 40
const VERCEL_LATENCY_MS = 20

/**
 * Vercel takes 100 updates a minute of an installation. One installation starts 600 actions at once; another one, with
 * one action at a time, should not notice while they are queued, and little in the seconds in which their webhooks come
 * in. Every action of both has to reach a terminal status in the end. Once, not in rounds: with the real window it takes
 * a quarter of an hour.
 */
export const neighbour: Scenario = {
  name: 'neighbour',
  about:
    'one installation beside another one that starts 600 actions at once, at 100 updates a minute',
  async run(bench) {
    await bench.measure(
      (_running, target) => measureNeighbour(bench, target),
      (surroundings) => startSystem('holdpoint', surroundings),
    )
  },
}

async function measureNeighbour(bench: Bench, target: Target): Promise<void> {
  const { figures, progress, options } = bench
  const { quick } = options
  const { vercel } = target
  const windowMs = quick ? 2000 : options.limitWindowMs
  const count = quick ? 100 : FLOOD
  await warmUp(target, quick)
  vercel.latencyMs = VERCEL_LATENCY_MS
  vercel.updateLimit = { total: UPDATES_PER_WINDOW, windowMs }
  const quiet = { ...target, installationId: 'icfg_neighbour00000000000', redeliver: true }

  const idleMs = IDLE_WINDOWS * windowMs
  progress(`  the neighbour alone, for ${idleMs / 1000} s`)
  // The windows that the flood's updates fill, and ample time besides.
  const limitMs = ((count * 2) / UPDATES_PER_WINDOW + 4) * windowMs + 30_000
  const pace = { everyMs: windowMs / ACTIONS_PER_WINDOW, limitMs }
  const idle = await actNowAndThen(quiet, pace, sleep(idleMs))
  figures.record(neighbourIdle, 'holdpoint', percentile(idle, 95))

  progress(`  ${count} actions of another installation at once`)
  vercel.calls.total = 0
  vercel.calls.refused = 0
  const { accepted, ended } = flood(
    { ...quiet, installationId: 'icfg_flood0000000000000000' },
    count,
    limitMs,
  )
  const meanwhile = await actNowAndThen(quiet, pace, accepted)
  const beside = await actNowAndThen(quiet, pace, ended)
  const { statuses, tookMs } = await ended
  const endless = [...meanwhile, ...beside].filter((ms) => ms === Infinity).length
  const lost = count - statuses.length + endless
  figures.record(neighbourMeanwhile, 'holdpoint', percentile(meanwhile, 50))
  figures.record(neighbourBeside, 'holdpoint', percentile(beside, 95))
  figures.record(neighbourActions, 'holdpoint', beside.length)
  figures.record(floodTook, 'holdpoint', tookMs / 1000)
  figures.record(floodFailed, 'holdpoint', statuses.filter((each) => each === 'failed').length)
  figures.record(floodLost, 'holdpoint', lost)
  figures.record(refusedCalls, 'holdpoint', (vercel.calls.refused / vercel.calls.total) * 100)
}

/**
 * One action after the other, no more often than the pace, until the promise settles. Answers their overheads; Infinity
 * for one that did not end within the limit.
 */
async function actNowAndThen(
  target: Target,
  { everyMs, limitMs }: { readonly everyMs: number; readonly limitMs: number },
  until: Promise<unknown>,
): Promise<number[]> {
  const overheads: number[] = []
  let over = false
  void until.finally(() => (over = true))
  while (!over) {
    const pause = sleep(everyMs)
    const { ended } = startAction(target)
    const late = sleep(limitMs).then(() => ({ afterMs: Infinity }))
    overheads.push((await Promise.race([ended, late])).afterMs)
    await pause
  }
  return overheads
}

interface Flood {
  /** When the webhooks of all have got their 2xx. */
  readonly accepted: Promise<unknown>
  /** The terminal statuses that came within the limit. */
  readonly ended: Promise<{ readonly statuses: readonly string[]; readonly tookMs: number }>
}

/** Starts all at once. */
function flood(target: Target, count: number, limitMs: number): Flood {
  const begin = performance.now()
  const statuses: string[] = []
  const started = Array.from({ length: count }, () => startAction(target))
  const ends = started.map(async ({ ended }) => statuses.push((await ended).status))
  const settled = Promise.race([Promise.all(ends), sleep(limitMs)])
  return {
    accepted: Promise.all(started.map(({ acked }) => acked)),
    ended: settled.then(() => ({ statuses: [...statuses], tookMs: performance.now() - begin })),
  }
}
