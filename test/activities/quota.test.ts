import { describe, expect, test } from 'vitest'
import type { AnyAction, ListCall, ProvisionedObject } from '../../src/actions/define-action.ts'
import type { ActionPolicy } from '../../src/actions/action-policy.ts'
import { gate } from '../workflows/branch-provider.ts'
import { activitiesForTest, failureOf } from './activities-for-test.ts'

const HOLDPOINT = 'holdpoint for tests'
const OTHER = {
  installationId: 'icfg',
  resourceId: 'db/1',
  deploymentId: 'dpl_0',
  action: 'branch',
}

/** A provider that holds these for the resource, and an action with this quota that makes `mine` there. */
async function provider(quota: ActionPolicy['quota'], changes: Partial<AnyAction> = {}) {
  const objects = new Map<string, ProvisionedObject>()
  const calls: string[] = []
  let lists = 0
  const put = (name: string, fields: Partial<ProvisionedObject>) =>
    objects.set(name, { name, complete: true, holdpoint: HOLDPOINT, sinceMs: 1, ...fields })
  const held = await activitiesForTest({
    policy: { quota },
    async provision({ key }) {
      calls.push('make')
      put('mine', { owner: key })
      return 'made'
    },
    list() {
      lists += 1
      return Promise.resolve([...objects.values()])
    },
    evict({ name }: ListCall & { name: string }) {
      calls.push(`evict ${name}`)
      return Promise.resolve(objects.delete(name))
    },
    ...changes,
  })
  const { installationId, resourceId } = held.key
  return {
    ...held,
    calls,
    put,
    names: () => [...objects.keys()],
    lists: () => lists,
    used: (name: string) =>
      put(name, { owner: { ...OTHER, installationId, deploymentId: `dpl_${name}` } }),
    unneeded: (name: string, sinceMs = 1) =>
      put(name, { resource: { installationId, resourceId }, sinceMs }),
    provision: () => held.run('provision', held.step),
  }
}

describe('a quota', () => {
  test('lets as many be made as it says, and then fails before anything is made', async () => {
    const { used, provision, calls } = await provider({ perResource: 2 })
    used('a')
    expect(await provision()).toBe('made')
    used('b')
    // It is there already.
    expect(await provision()).toBe('made')
    expect(calls).toEqual(['make', 'make'])

    const full = await provider({ perResource: 2 })
    full.used('a')
    full.unneeded('b')
    expect(await failureOf(full.provision())).toMatchObject({
      type: 'quota_full',
      nonRetryable: true,
      message: expect.stringMatching(/made 2 for the resource and may make 2.*delete deployments/),
    })
    expect(full.calls).toEqual([])
    expect(full.names()).toEqual(['a', 'b'])
  })

  test('evicts the one that was not needed for the longest time, and no more than it takes', async () => {
    const { used, unneeded, provision, calls, names, logged } = await provider({
      perResource: 3,
      whenFull: 'evict',
    })
    used('a')
    unneeded('newer', 2000)
    unneeded('older', 1000)
    await provision()
    expect(calls).toEqual(['evict older', 'make'])
    expect(names()).toEqual(['a', 'newer', 'mine'])
    expect(logged()).toContain('quota.evicted')
  })

  test('tries the next one when one is needed again, and fails when none can go', async () => {
    const asked: string[] = []
    const { used, unneeded, provision, names } = await provider(
      { perInstallation: 3, whenFull: 'evict' },
      {
        evict({ name }: { name: string }) {
          asked.push(name)
          return Promise.resolve(false)
        },
      },
    )
    used('a')
    unneeded('b', 1000)
    unneeded('c', 2000)
    expect(await failureOf(provision())).toMatchObject({ type: 'quota_full' })
    expect(asked).toEqual(['b', 'c'])
    expect(names()).toEqual(['a', 'b', 'c'])
  })

  test('is asked for by the name that the action gives', async () => {
    const { used, provision, calls } = await provider(
      { perResource: 1 },
      { nameOf: () => 'shared' },
    )
    used('shared')
    await provision()
    expect(calls).toEqual(['make'])
  })
})

describe('where an action can keep others out', () => {
  const exclusive = async (quota: ActionPolicy['quota'], made: Promise<void>) => {
    const places: unknown[] = []
    let inside = false
    const held = await provider(quota, {
      exclusively: async (
        { place, signal }: { place: unknown; signal: AbortSignal },
        work: (signal: AbortSignal) => Promise<void>,
      ) => {
        places.push(place)
        inside = true
        try {
          await work(signal)
        } finally {
          inside = false
        }
      },
      async provision({ key }) {
        held.calls.push(inside ? 'make' : 'make outside')
        held.put('mine', { owner: key, complete: false })
        await made
        held.calls.push(inside ? 'made inside' : 'made')
        return 'made'
      },
    })
    return { ...held, places, isInside: () => inside }
  }

  test('it does so until what it makes is listed, and not until it is made', async () => {
    const copied = gate()
    const { provision, calls, isInside } = await exclusive({ perResource: 1 }, copied.opened)
    const provisioned = provision()
    await expect.poll(() => calls).toEqual(['make'])
    await expect.poll(isInside).toBe(false)
    copied.open()
    expect(await provisioned).toBe('made')
    expect(calls).toEqual(['make', 'made'])
  })

  test('it does so until what it shares is listed for it, as till then another one could evict that', async () => {
    const claimed = gate()
    const begun = gate()
    const released = gate()
    const { provision, unneeded, put, calls, key, lists } = await provider(
      { perResource: 1, whenFull: 'evict' },
      {
        nameOf: () => 'shared',
        async exclusively(
          { signal }: { signal: AbortSignal },
          work: (signal: AbortSignal) => Promise<void>,
        ) {
          await work(signal)
          calls.push('others may come')
          released.open()
        },
        async provision() {
          begun.open()
          await claimed.opened
          calls.push('claim')
          put('shared', { owner: key })
          await released.opened
        },
      },
    )
    unneeded('shared')
    const provisioned = provision()
    await begun.opened
    const before = lists()
    await expect.poll(lists).toBeGreaterThan(before + 1)
    claimed.open()
    await provisioned
    expect(calls).toEqual(['claim', 'others may come'])
  })

  test('it does so for the resource, or for all of an installation that has a limit', async () => {
    const one = await exclusive({ perResource: 1 }, Promise.resolve())
    await one.provision()
    const { installationId } = one.key
    expect(one.places).toEqual([{ installationId, resourceId: 'db/1' }])
    const all = await exclusive({ perResource: 1, perInstallation: 2 }, Promise.resolve())
    await all.provision()
    expect(all.places).toEqual([{ installationId: all.key.installationId }])
  })

  test('it fails with what its work failed with', async () => {
    const made = Promise.reject(new Error('hunter2'))
    made.catch(() => {})
    const { provision } = await exclusive({ perResource: 1 }, made)
    expect(await failureOf(provision())).toMatchObject({ type: 'internal', nonRetryable: false })
  })

  test('it waits for its work when it can keep the others out no longer', async () => {
    const begun = gate()
    const copied = gate()
    const { provision, calls } = await provider(
      { perResource: 1 },
      {
        exclusively: async (_call: unknown, work: (signal: AbortSignal) => Promise<void>) => {
          await Promise.race([work(new AbortController().signal), begun.opened])
          calls.push('lost')
          throw new Error('the connection is lost')
        },
        async provision() {
          calls.push('make')
          begun.open()
          await copied.opened
          calls.push('made')
        },
      },
    )
    const provisioned = failureOf(provision()).then((failure) => {
      calls.push('ended')
      return failure
    })
    await expect.poll(() => calls).toContain('lost')
    copied.open()
    expect(await provisioned).toMatchObject({ type: 'internal' })
    expect(calls).toEqual(['make', 'lost', 'made', 'ended'])
  })
})

test('an action without a quota is listed by nobody', async () => {
  let listed = 0
  const { run, step } = await activitiesForTest({
    policy: { ttl: '7 days' },
    provision: () => Promise.resolve('made'),
    list: () => {
      listed += 1
      return Promise.resolve([])
    },
  })
  expect(await run('provision', step)).toBe('made')
  expect(listed).toBe(0)
})
