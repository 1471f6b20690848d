import { setTimeout as sleep } from 'node:timers/promises'
import { type Scenario, warmUp } from '../bench.ts'
import type { Target } from '../load/action.ts'
import { closedLoop } from '../load/loads.ts'
import { cpuSeconds } from '../processes/usage.ts'
import { cpuOfApp, cpuOfServer, cpuPerAction, greatestRate } from '../report/known-figures.ts'
import type { RunningSystem } from '../systems/system.ts'

const CONCURRENCY = 20

/**
 * The greatest rate that a system sustains: 20 actions in flight all the time (a closed loop), Vercel answering at
 * once. Counted are the actions that end in a window which begins when the load has been on for a while, and the
 * processor time that the system's processes use in that window; the load and the fake Vercel share the machine.
 */
export const rate: Scenario = {
  name: 'rate',
  about: 'greatest sustained rate with 20 actions in flight, and CPU time per action',
  async run({ options: { quick, systems }, eachRound, figures }) {
    await eachRound(systems, async (id, running, target) => {
      await warmUp(target, quick)
      const window = quick ? { rampMs: 500, windowMs: 1500 } : { rampMs: 3000, windowMs: 10_000 }
      const { perSecond, appMs, serverMs } = await measureWindow(running, target, window)
      figures.record(greatestRate, id, perSecond)
      figures.record(cpuPerAction, id, appMs + serverMs)
      figures.record(cpuOfApp, id, appMs)
      if (running.server) figures.record(cpuOfServer, id, serverMs)
    })
  },
}

async function measureWindow(
  { app, server }: RunningSystem,
  target: Target,
  { rampMs, windowMs }: { readonly rampMs: number; readonly windowMs: number },
): Promise<{ perSecond: number; appMs: number; serverMs: number }> {
  const read = async () => ({
    at: performance.now(),
    app: await cpuSeconds(app),
    server: server ? await cpuSeconds(server) : 0,
  })
  const load = closedLoop(target, {
    concurrency: CONCURRENCY,
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
  }
}
