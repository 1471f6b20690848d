import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InstalledHoldpoint, installHoldpoint } from '../end-to-end/installed-holdpoint.ts'
import { chooseSeed, createRandom } from './random.ts'
import { CONFIGURATION, finish, type Lane, openLane } from './scenario.ts'
import { type Servers, startServers } from './servers.ts'
import { sendTraffic } from './traffic.ts'

/** How many actions; `FAULTS_ACTIONS` says otherwise. */
const ACTIONS = Number(process.env['FAULTS_ACTIONS'] ?? 2_000)
/** Far more than any pause between two tries; Temporal itself may need a while after so many crashes. */
const DRAINED_WITHIN_MS = 3 * 60_000
/** The trouble ends then at the latest, so that a slow machine comes to an end, too. */
const CALM_AFTER_MS = 13 * 60_000

let installed: InstalledHoldpoint
let servers: Servers
beforeAll(async () => {
  ;[installed, servers] = await Promise.all([installHoldpoint(CONFIGURATION), startServers()])
})
afterAll(async () => {
  await servers.stop()
  await installed.remove()
})

test(
  'all guarantees hold when everything fails at once, at random',
  async () => {
    const seed = chooseSeed()
    console.log(`chaos begins: ${ACTIONS} actions, seed ${seed}`)
    const startedAt = performance.now()
    const lane = await openLane({ servers, installed, seed, deadline: '30 minutes' })
    const { vercel, random } = lane
    vercel.dials.randomFaults = {
      rate: 0.3,
      seed,
      answers: [{ status: 503 }, { status: 500 }, { status: 429 }, 'cut-before', 'cut-after'],
    }
    vercel.dials.updateAfterTerminal = random.pick([202, 409] as const) ?? 409
    vercel.dials.removedDeployment =
      random.pick(['not-found', 'gone', 'soft-deleted'] as const) ?? 'gone'
    vercel.dials.duplicateWebhooks = 'new-id'
    vercel.dials.retryId = 'new'
    await Promise.all([lane.start(0), lane.start(1)])

    const over = new AbortController()
    const calm = setTimeout(() => over.abort(), CALM_AFTER_MS)
    const troubles = [
      troubleHoldpoint(lane, 0, seed + 1, over.signal),
      troubleHoldpoint(lane, 1, seed + 4, over.signal),
      troubleServer(lane, 'Temporal killed', servers.temporal, seed + 2, over.signal),
      troubleServer(lane, 'Postgres killed', servers.postgres, seed + 3, over.signal),
    ]
    await sendTraffic(lane, { actions: ACTIONS, perSecond: 20, withdrawn: 0.4, held: 80 })
    clearTimeout(calm)
    over.abort()
    await Promise.all(troubles)
    vercel.dials.randomFaults = undefined
    const figures = { minutes: ((performance.now() - startedAt) / 60_000).toFixed(1) }
    expect(await finish('chaos', [lane], { seed, limitMs: DRAINED_WITHIN_MS, figures })).toEqual([])
  },
  30 * 60_000,
)

/** Kills the process in this place or has it stand still, and brings it back. */
async function troubleHoldpoint(
  lane: Lane,
  place: 0 | 1,
  seed: number,
  over: AbortSignal,
): Promise<void> {
  const random = createRandom(seed)
  while (await goesOn(random.between(2_000, 8_000), over)) {
    lane.direct(random.chance(0.5) ? 0 : 1)
    if (random.chance(0.2)) {
      lane.signal('SIGSTOP', place)
      await goesOn(random.between(1_000, 12_000), over)
      lane.signal('SIGCONT', place)
      continue
    }
    lane.signal(random.chance(0.8) ? 'SIGKILL' : 'SIGTERM', place)
    await lane.start(place)
  }
}

async function troubleServer(
  lane: Lane,
  name: string,
  server: Servers['temporal'],
  seed: number,
  over: AbortSignal,
): Promise<void> {
  const random = createRandom(seed)
  while (await goesOn(random.between(8_000, 25_000), over)) {
    if (random.chance(0.2)) {
      server.signal('SIGSTOP')
      lane.count(name.replace('killed', 'stopped'))
      await goesOn(random.between(1_000, 10_000), over)
      server.signal('SIGCONT')
      continue
    }
    await server.kill()
    lane.count(name)
    await goesOn(random.between(0, 3_000), over)
    await server.start()
  }
}

/** Answers false when it is over by then. */
async function goesOn(ms: number, over: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal: over }).catch(() => {})
  return !over.aborted
}
