import { setTimeout as sleep } from 'node:timers/promises'
import type { Scenario } from '../bench.ts'
import type { Target } from '../load/action.ts'
import { closedLoop } from '../load/loads.ts'
import { cpuSeconds } from '../processes/usage.ts'
import {
  cpuOfApp,
  cpuOfDatabase,
  cpuOfServer,
  cpuPerAction,
  greatestRate,
} from '../report/known-figures.ts'
import type { RunningSystem } from '../systems/system.ts'

/** In flight all the time, by a closed loop. */
const CONCURRENCIES = [20, 40]

/**
 * The greatest rate that a system sustains, Vercel answering at once: it has run under load for a while, then 20 and 40
 * actions are in flight all the time, and the greater rate counts. Counted are the actions that end in a window, and
 * the processor time that the system's processes use in it; the load and the fake Vercel share the machine. Beside a
 * Temporal server whose process nobody told, there is no sum to tell.
 */
export const rate: Scenario = {
  name: 'rate',
  about: 'greatest sustained rate, and CPU time per action at that rate',
  async run({ options: { quick, systems }, eachRound, figures }) {
    await eachRound(systems, async (id, running, target) => {
      // A compiler that works beside is no part of what is sustained.
      await closedLoop(target, { concurrency: 20, count: Infinity, limitMs: quick ? 1000 : 20_000 })
      const windows: Window[] = []
      for (const concurrency of CONCURRENCIES) {
        windows.push(await measureWindow(running, target, { concurrency, quick }))
      }
      const [greatest] = windows.sort((a, b) => b.perSecond - a.perSecond)
      if (!greatest) return
      figures.record(greatestRate, id, greatest.perSecond)
      const { appMs, serverMs, databaseMs } = greatest
      if (running.server || !running.temporal) {
        figures.record(cpuPerAction, id, appMs + serverMs + databaseMs)
      }
      figures.record(cpuOfApp, id, appMs)
      if (running.server) figures.record(cpuOfServer, id, serverMs)
      if (running.database) figures.record(cpuOfDatabase, id, databaseMs)
    })
  },
}

interface Window {
  readonly perSecond: number
  /** Of processor time, for each action. */
  readonly appMs: number
  readonly serverMs: number
  readonly databaseMs: number
}

async function measureWindow(
  { app, server, database }: RunningSystem,
  target: Target,
  { concurrency, quick }: { readonly concurrency: number; readonly quick: boolean },
): Promise<Window> {
  const [rampMs, windowMs] = quick ? [500, 1500] : [2000, 10_000]
  const read = async () => ({
    at: performance.now(),
    app: await cpuSeconds(app),
    server: server ? await cpuSeconds(server) : 0,
    database: database ? await cpuSeconds(database) : 0,
  })
  const load = closedLoop(target, {
    concurrency,
    count: Infinity,
    limitMs: rampMs + windowMs,
  })
  const window = (async () => {
    await sleep(rampMs)
    const begin = await read()
    await sleep(windowMs)
    return { begin, end: await read() }
  })()
  const [measured, { begin, end }] = await Promise.all([load, window])
  const ended = measured.filter(({ endedAt }) => endedAt >= begin.at && endedAt < end.at).length
  return {
    perSecond: (ended * 1000) / (end.at - begin.at),
    appMs: ((end.app - begin.app) * 1000) / ended,
    serverMs: ((end.server - begin.server) * 1000) / ended,
    databaseMs: ((end.database - begin.database) * 1000) / ended,
  }
}
