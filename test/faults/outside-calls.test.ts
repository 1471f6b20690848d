import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InstalledHoldpoint, installHoldpoint } from '../end-to-end/installed-holdpoint.ts'
import { inLanes } from './in-lanes.ts'
import type { Moment } from './intercepting-proxy.ts'
import { chooseSeed } from './random.ts'
import { CONFIGURATION, finish, type Kind, type Lane, openLane } from './scenario.ts'
import { type Servers, startServers } from './servers.ts'

// Holdpoint is killed right before, at and after each of its calls to the outside, one call after the other; what it
// had in hand must be finished by the next process, for good and once.

const LANES = 3

let installed: InstalledHoldpoint
let servers: Servers
beforeAll(async () => {
  ;[installed, servers] = await Promise.all([installHoldpoint(CONFIGURATION), startServers()])
})
afterAll(async () => {
  await servers.stop()
  await installed.remove()
})

type Host = 'vercel' | 'postgres' | 'temporal'

interface Walk {
  readonly moment: Moment
  readonly matching?: RegExp
  /** Deploys, and answers when everything is as it must be before the calls that are meant. */
  readonly prepare?: (lane: Lane) => Promise<string>
  /** Makes Holdpoint call; answers the deployment it is about. */
  readonly act: (lane: Lane, prepared: string) => string
}

/** Kills at this call and starts Holdpoint again. Answers false when all was done without such a call. */
async function killAt(lane: Lane, host: Host, call: number, walk: Walk): Promise<boolean> {
  const { moment, matching, prepare, act } = walk
  const proxy = lane.proxies[host]
  if (!proxy) throw new Error(`There is no proxy before ${host}`)
  const prepared = (await prepare?.(lane)) ?? ''
  const spring = () => lane.signal('SIGKILL')
  const sprung = proxy.set({ call, moment, spring, ...(matching && { matching }) })
  const ended = lane.ended(act(lane, prepared))
  const killed = await Promise.race([sprung.then(() => true), ended.then(() => false)])
  proxy.unset()
  if (killed) await lane.start()
  await ended
  return killed
}

/** 1, 4, 7, … for the first of three lanes. */
function* callsOf(lane: number): Generator<number> {
  for (let call = lane + 1; ; call += LANES) yield call
}

async function walkInLanes(scenario: string, host: Host, walk: Walk) {
  const seed = chooseSeed()
  let longest = 0
  const lanes = await inLanes(LANES, async (index) => {
    const lane = await openLane({ servers, installed, seed: seed + index, intercept: [host] })
    await lane.start()
    // Until everything is done before the call that would be next.
    for (const call of callsOf(index)) {
      if (!(await killAt(lane, host, call, walk))) break
      longest = Math.max(longest, call)
    }
    return lane
  })
  expect(await finish(scenario, lanes, { seed, figures: { calls: longest } })).toEqual([])
}

const deploy = (kind: Kind) => (lane: Lane) => lane.deploy(kind).id

test('Holdpoint killed before and after each call to Vercel', async () => {
  const seed = chooseSeed()
  const running = /^PATCH .*"status":"running"/s
  const succeeded = /^PATCH .*"status":"succeeded"/s
  const refused = /^PATCH .*"status":"failed"/s
  const points: [kind: Kind, matching: RegExp][] = [
    ['branch', /^GET /],
    ['branch', running],
    ['branch', succeeded],
    ['env', /^GET /],
    ['env', succeeded],
    ['broken', running],
    ['broken', refused],
  ]
  const walks = points.flatMap(([kind, matching]) =>
    (['before', 'during', 'after'] as const).map((moment) => ({ kind, matching, moment })),
  )
  const lanes = await inLanes(LANES, async (index) => {
    const lane = await openLane({ servers, installed, seed: seed + index, intercept: ['vercel'] })
    await lane.start()
    for (const { kind, matching, moment } of walks.filter((_, n) => n % LANES === index)) {
      const walk = { moment, matching, act: deploy(kind) }
      expect(await killAt(lane, 'vercel', 1, walk)).toBe(true)
    }
    return lane
  })
  expect(await finish('SIGKILL at each call to Vercel', lanes, { seed })).toEqual([])
})

test.each(['before', 'during'] as const)(
  'Holdpoint killed %s each statement to Postgres that makes and proves a branch',
  (moment) =>
    walkInLanes(`SIGKILL ${moment} each statement of a branch`, 'postgres', {
      moment,
      act: deploy('branch'),
    }),
)

test.each(['before', 'during'] as const)(
  'Holdpoint killed %s each statement to Postgres that takes a branch back',
  (moment) =>
    walkInLanes(`SIGKILL ${moment} each statement of a cleanup`, 'postgres', {
      moment,
      async prepare(lane) {
        const { id } = lane.deploy('branch')
        await lane.ended(id)
        return id
      },
      act(lane, id) {
        lane.vercel.remove(id)
        return id
      },
    }),
)

test.each(['before', 'after'] as const)('Holdpoint killed %s each call to Temporal', (moment) =>
  walkInLanes(`SIGKILL ${moment} each call to Temporal`, 'temporal', {
    moment,
    act: deploy('branch'),
  }),
)
