import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type Scenario, warmUp } from '../bench.ts'
import { startAction, type Target } from '../load/action.ts'
import { atRate, oneAtATime } from '../load/loads.ts'
import { within } from '../load/within.ts'
import { cpuSeconds, residentMib } from '../processes/usage.ts'
import {
  drainedAfter,
  grown,
  memoryOfAppWithOpen,
  memoryOfServerWithOpen,
  openAtOnce,
  peakOfAppWithOpen,
  unfinished,
} from '../report/known-figures.ts'
import { median } from '../statistics.ts'
import { startSystem } from '../systems/start-system.ts'
import type { RunningSystem } from '../systems/system.ts'

const SIZES = [100, 1000, 10_000]
/** Below what it can do, so that nothing piles up: 10,000 actions take over eight minutes. */
const FILL_PER_SECOND = 20
const SAMPLE = 100

const OPEN = 1000
const OPEN_PER_SECOND = 40
/** From the first start on: all 1,000 are taken by then. */
const OPEN_FOR_MS = 45_000
const DRAINED_WITHIN_MS = 300_000

/** Whether Holdpoint slows down as it gets on in years, and what many actions at once cost. Once, not in rounds. */
export const growth: Scenario = {
  name: 'growth',
  about: 'the last 100 of 100, 1,000 and 10,000 actions of one process; 1,000 actions open at once',
  async run(bench) {
    const start = startSystem.bind(undefined, 'holdpoint')
    await bench.measure((running, target) => measureAges(bench, running, target), start)
    await bench.measure((running, target) => measureOpen(bench, running, target), start)
  },
}

async function measureAges(bench: Bench, running: RunningSystem, target: Target): Promise<void> {
  const { figures, progress, options } = bench
  await warmUp(target, options.quick)
  const sample = options.quick ? 10 : SAMPLE
  let done = 0
  for (const size of SIZES) {
    const wanted = options.quick ? size / 100 + sample : size
    progress(`  ${wanted} actions`)
    await fill(target, wanted - sample - done)
    const before = await cpuOf(running)
    const measured = await oneAtATime(target, { count: sample, limitMs: 60_000 })
    const cpuMs = ((await cpuOf(running)) - before) * 1000
    const overheads = measured.map(({ overheadMs }) => overheadMs)
    figures.record(grown('overhead p50', size), 'holdpoint', median(overheads))
    figures.record(grown('CPU', size), 'holdpoint', cpuMs / measured.length)
    done = wanted
  }
}

async function fill(target: Target, actions: number): Promise<void> {
  const atOnce = FILL_PER_SECOND * 10
  for (let left = actions; left > 0; left -= atOnce) {
    const count = Math.min(left, atOnce)
    await atRate(target, { perSecond: FILL_PER_SECOND, count, drainMs: 60_000 })
  }
}

async function cpuOf({ app, server }: RunningSystem): Promise<number> {
  return (await cpuSeconds(app)) + (server ? await cpuSeconds(server) : 0)
}

async function measureOpen(
  { figures, progress, options: { quick } }: Bench,
  running: RunningSystem,
  target: Target,
): Promise<void> {
  await warmUp(target, quick)
  const [count, openForMs] = quick ? [40, 5000] : [OPEN, OPEN_FOR_MS]
  progress(`  ${count} actions open at once`)
  const until = Date.now() + openForMs
  const started: ReturnType<typeof startAction>[] = []
  while (started.length < count) {
    started.push(startAction({ ...target, action: 'work', options: { until }, redeliver: true }))
    await sleep(1000 / OPEN_PER_SECOND)
  }
  await within(60_000, 'every webhook to be taken', Promise.all(started.map((each) => each.acked)))
  let ended = 0
  for (const each of started) void each.measured.then(() => (ended += 1))
  // Just before the first of them may end.
  await sleep(until - Date.now() - 1000)
  const [app, server] = await memoryOf(running)
  figures.record(openAtOnce, 'holdpoint', count - ended)
  figures.record(memoryOfAppWithOpen, 'holdpoint', app.now)
  figures.record(memoryOfServerWithOpen, 'holdpoint', server.now)
  await Promise.race([
    Promise.allSettled(started.map((each) => each.measured)),
    sleep(until - Date.now() + DRAINED_WITHIN_MS),
  ])
  figures.record(unfinished, 'holdpoint', count - ended)
  figures.record(drainedAfter, 'holdpoint', (Date.now() - until) / 1000)
  const [{ peak }] = await memoryOf(running)
  figures.record(peakOfAppWithOpen, 'holdpoint', peak)
}

async function memoryOf({ app, server }: RunningSystem) {
  return Promise.all([residentMib(app), residentMib(server ?? app)])
}
