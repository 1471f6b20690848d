import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InstalledHoldpoint, installHoldpoint } from '../end-to-end/installed-holdpoint.ts'
import { chooseSeed } from './random.ts'
import { CONFIGURATION, finish, type Lane, openLane } from './scenario.ts'
import { type KillableServer, type Servers, startServers } from './servers.ts'
import { sendTraffic, type Traffic } from './traffic.ts'

// While users deploy, cancel and remove, one of the parts is away, slow to answer, or dies.

let installed: InstalledHoldpoint
let servers: Servers
beforeAll(async () => {
  ;[installed, servers] = await Promise.all([installHoldpoint(CONFIGURATION), startServers()])
})
afterAll(async () => {
  await servers.stop()
  await installed.remove()
})

const TRAFFIC: Traffic = { actions: 60, perSecond: 6, withdrawn: 0.25 }

/** So that a pause catches many on their way back. */
const WITHDRAWN: Traffic = { actions: 100, perSecond: 15, withdrawn: 0.9 }

/** Has users deploy while `trouble` is made, and asks for all guarantees at the end. */
async function during(
  scenario: string,
  trouble: (lane: Lane) => Promise<void>,
  settings: { readonly processes?: 1 | 2; readonly traffic?: Traffic } = {},
): Promise<void> {
  const seed = chooseSeed()
  const lane = await openLane({ servers, installed, seed })
  await lane.start()
  if (settings.processes === 2) await lane.start(1)
  await Promise.all([sendTraffic(lane, settings.traffic ?? TRAFFIC), trouble(lane)])
  expect(await finish(scenario, [lane], { seed })).toEqual([])
}

async function killAndStart(lane: Lane, server: KillableServer, name: string): Promise<void> {
  for (let time = 1; time <= 3; time += 1) {
    await sleep(lane.random.between(1_000, 3_000))
    await server.kill()
    lane.count(name)
    await sleep(lane.random.between(0, 2_000))
    await server.start()
  }
}

test('Temporal is killed and comes back, three times', () =>
  during('SIGKILL of Temporal', (lane) => killAndStart(lane, servers.temporal, 'Temporal killed')))

test('Postgres crashes and recovers, three times', () =>
  during('crash of Postgres', (lane) => killAndStart(lane, servers.postgres, 'Postgres killed')))

test('Temporal stands still for 20 seconds', () =>
  during(
    'SIGSTOP of Temporal for 20 s',
    async (lane) => {
      await sleep(3_000)
      servers.temporal.signal('SIGSTOP')
      lane.count('Temporal stopped')
      await sleep(20_000)
      servers.temporal.signal('SIGCONT')
    },
    { traffic: WITHDRAWN },
  ))

test('Holdpoint and Temporal stand still for 20 seconds together, as on a machine that is paused', () =>
  during(
    'SIGSTOP of Holdpoint and Temporal for 20 s',
    async (lane) => {
      await sleep(3_000)
      lane.signal('SIGSTOP')
      servers.temporal.signal('SIGSTOP')
      lane.count('Temporal stopped')
      await sleep(20_000)
      servers.temporal.signal('SIGCONT')
      lane.signal('SIGCONT')
    },
    { traffic: WITHDRAWN },
  ))

test("Vercel's API is down for ten seconds", () =>
  during("outage of Vercel's API", async ({ vercel, random }) => {
    await sleep(2_000)
    const answers = [{ status: 503 }, { status: 500 }, 'cut-before', 'no-answer'] as const
    vercel.dials.randomFaults = { rate: 1, seed: random.between(1, 1e9), answers }
    await sleep(10_000)
    vercel.dials.randomFaults = undefined
  }))

test('Vercel takes five updates and ten reads in two seconds', () =>
  during('storm of 429', async ({ vercel, held, count }) => {
    const { updateLimit, readLimit } = vercel.dials
    vercel.dials.updateLimit = { total: 5, windowMs: 2_000 }
    vercel.dials.readLimit = { total: 10, windowMs: 2_000 }
    for (const retryAfter of ['seconds', 'date', 'absent'] as const) {
      vercel.dials.retryAfter = retryAfter
      await sleep(5_000)
    }
    while (held.size > 0) await sleep(50)
    for (const event of vercel.records)
      if (event.kind === 'request' && event.status === 429) count('429')
    Object.assign(vercel.dials, { updateLimit, readLimit })
  }))

test('three of ten calls to Vercel fail, some after they took effect', () =>
  during('30 % random faults', async ({ vercel, random, held }) => {
    const answers = [
      { status: 503 },
      { status: 500 },
      { status: 429, headers: { 'retry-after': '1' } },
      'cut-before',
      'cut-after',
    ] as const
    vercel.dials.duplicateWebhooks = 'new-id'
    vercel.dials.randomFaults = { rate: 0.3, seed: random.between(1, 1e9), answers }
    await sleep(12_000)
    while (held.size > 0) await sleep(50)
  }))

test('Holdpoint stands still for 30 seconds, alone', () =>
  during('SIGSTOP for 30 s, alone', standStill))

test('Holdpoint stands still for 30 seconds, and another process takes over', () =>
  during(
    'SIGSTOP for 30 s, with a second process',
    async (lane) => {
      await standStill(lane)
      lane.direct(0)
    },
    { processes: 2 },
  ))

async function standStill(lane: Lane): Promise<void> {
  await sleep(3_000)
  lane.signal('SIGSTOP')
  lane.direct(1)
  await sleep(30_000)
  lane.signal('SIGCONT')
  lane.direct(0)
}

test('two processes share the work, and one is killed', () =>
  during(
    'SIGKILL of one of two processes',
    async (lane) => {
      await sleep(4_000)
      lane.signal('SIGKILL')
      lane.direct(1)
    },
    { processes: 2 },
  ))
