import { type Bench, type Scenario, warmUp } from '../bench.ts'
import type { Measured, Target } from '../load/action.ts'
import { atRate, oneAtATime } from '../load/loads.ts'
import { ack, overhead, SEQUENTIAL } from '../report/known-figures.ts'
import { percentile } from '../statistics.ts'
import type { SystemId } from '../systems/system.ts'

const VERCEL_LATENCIES_MS = [0, 20]
const RATES_PER_SECOND = [20, 50]
const PAUSE_MS = 30
const PERCENTILES = [50, 95, 99]

/**
 * How long an action holds a build without doing any work: from the beginning of the POST of its webhook until Vercel
 * accepts `succeeded`; and how long the webhook waits for its 2xx. One at a time, as developers deploy; back to back,
 * with every cache of the machine hot; then at constant rates.
 */
export const latency: Scenario = {
  name: 'latency',
  about:
    'blocking overhead and time to the 2xx: one at a time, back to back, at 20 and 50 a second',
  async run(bench) {
    const { quick, systems } = bench.options
    await bench.eachRound(systems, async (id, _running, target) => {
      await warmUp(target, quick)
      for (const latencyMs of VERCEL_LATENCIES_MS) {
        target.vercel.latencyMs = latencyMs
        const load = { count: quick ? 10 : 200, limitMs: 20_000 }
        const spaced = await oneAtATime(target, { ...load, pauseMs: PAUSE_MS })
        record(bench, id, SEQUENTIAL, latencyMs, spaced)
        record(bench, id, 'back to back', latencyMs, await oneAtATime(target, load))
      }
      // With default flags the server of plain does about 12 actions a second.
      if (id !== 'plain') await measureRates(bench, id, target)
    })
  },
}

async function measureRates(bench: Bench, id: SystemId, target: Target): Promise<void> {
  const seconds = bench.options.quick ? 1 : 10
  let overloaded = false
  for (const perSecond of RATES_PER_SECOND) {
    for (const latencyMs of VERCEL_LATENCIES_MS) {
      target.vercel.latencyMs = latencyMs
      const load = { perSecond, count: perSecond * seconds, drainMs: 30_000 }
      // After one that it could not bear it is still busy, so the next would say nothing.
      const measured: readonly Measured[] = overloaded
        ? []
        : await bearable(bench, atRate(target, load))
      overloaded = measured.length === 0
      record(bench, id, `${perSecond} a second`, latencyMs, measured)
    }
  }
}

/** Nothing, when the system could not bear the load. */
async function bearable(bench: Bench, load: Promise<Measured[]>): Promise<readonly Measured[]> {
  try {
    return await load
  } catch (error) {
    bench.progress(`    overloaded: ${error instanceof Error ? error.message : String(error)}`)
    return []
  }
}

function record(
  { figures }: Bench,
  id: SystemId,
  load: string,
  latencyMs: number,
  measured: readonly Measured[],
): void {
  const overheads = measured.map(({ overheadMs }) => overheadMs)
  const acks = measured.map(({ ackMs }) => ackMs)
  for (const percent of PERCENTILES) {
    figures.record(overhead(percent, load, latencyMs), id, percentile(overheads, percent))
  }
  for (const percent of PERCENTILES) {
    figures.record(ack(percent, load, latencyMs), id, percentile(acks, percent))
  }
}
