import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InstalledHoldpoint, installHoldpoint } from '../end-to-end/installed-holdpoint.ts'
import { chooseSeed } from './random.ts'
import { CONFIGURATION, finish, type Kind, openLane } from './scenario.ts'
import { type Servers, startServers } from './servers.ts'

let installed: InstalledHoldpoint
let servers: Servers
beforeAll(async () => {
  ;[installed, servers] = await Promise.all([installHoldpoint(CONFIGURATION), startServers()])
})
afterAll(async () => {
  await servers.stop()
  await installed.remove()
})

const ACTIONS = 100
/** About 5 seconds on two idle cores, more on busy ones; a lost worker noticed by no heartbeat costs a minute. */
const SOON_MS = 25_000

interface Stop {
  readonly kinds: readonly Kind[]
  /** Where Vercel does not answer, so that no action gets any further. */
  readonly at: 'get' | 'succeeded' | 'anything'
}

const STOPS: Record<string, Stop> = {
  'at their first call': { kinds: ['env'], at: 'get' },
  'at their report': { kinds: ['env'], at: 'succeeded' },
  'at any call, half of them branches': { kinds: ['env', 'branch'], at: 'anything' },
}

test.each(Object.entries(STOPS))(
  'the only process is killed with 100 actions in flight, %s: all 100 finish soon after the restart',
  async (what, { kinds, at }) => {
    const seed = chooseSeed()
    const lane = await openLane({ servers, installed, seed })
    const { vercel, random } = lane
    await lane.start()
    // Warm: the first action pays for loading.
    await lane.ended(lane.deploy('branch').id)
    if (at === 'anything') vercel.dials.latencyMs = 1_000
    else
      vercel.dials.failNext.push({
        match: at === 'get' ? { kind: 'get' } : { status: at },
        answer: 'no-answer',
        times: 1_000_000,
      })
    const ids = Array.from(
      { length: ACTIONS },
      (_, index) => lane.deploy(kinds[index % kinds.length] ?? 'env').id,
    )
    await lane.untilAccepted(ids)
    if (at === 'succeeded') {
      const reported = () =>
        new Set(
          vercel.records.flatMap((event) =>
            event.kind === 'request' && event.method === 'PATCH' ? [event.deploymentId] : [],
          ),
        )
      while (!ids.every((id) => reported().has(id))) await sleep(50)
    }
    if (at !== 'get') await sleep(random.between(0, 1_000))
    const killedAt = performance.now()
    lane.signal('SIGKILL')
    vercel.dials.failNext.length = 0
    vercel.dials.latencyMs = 0
    const inFlight = lane.held.size
    await lane.start()
    const readyAt = performance.now()
    const times = await Promise.all(
      ids.map(async (id) => {
        await vercel.until(id, ({ readyState }) => readyState === 'READY', { timeoutMs: 120_000 })
        return performance.now()
      }),
    )
    const last = Math.max(...times)
    const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
    const figures = {
      'in flight': inFlight,
      'killed to ready': seconds(readyAt - killedAt),
      'ready to first': seconds(Math.min(...times) - readyAt),
      'ready to last': seconds(last - readyAt),
      'killed to last': seconds(last - killedAt),
    }
    const scenario = `SIGKILL with 100 actions in flight, ${what}`
    expect(await finish(scenario, [lane], { seed, figures })).toEqual([])
    expect(last - readyAt).toBeLessThan(SOON_MS)
  },
)
