import { type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { provisionResource } from '../../src/dispatch/provision-resource.ts'
import { removeInstallation } from '../../src/dispatch/remove-installation.ts'
import { deploymentRemovalWorkflowId } from '../../src/domain/deployment-removal.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { type ResourceKey, resourceWorkflowId } from '../../src/domain/resource-key.ts'
import { secretsExpiryWorkflowId } from '../../src/domain/resource-run.ts'
import { Secret } from '../../src/domain/secret.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { tcpProxy } from '../temporal/tcp-proxy.ts'
import { gate } from './branch-provider.ts'
import { type Cloud, type CloudStep, holdCloud } from './database-product.ts'
import {
  readableHistory,
  type ResourcesUnderTest,
  resourcesUnderTest,
} from './resources-under-test.ts'

// On a real server, as the time-skipping one lists no runs.

let environment: TemporalEnvironment
beforeAll(async () => {
  environment = await devServerEnvironment()
})
afterAll(() => environment.teardown())

const SOON = { timeout: 20_000, interval: 50 }

const rowOf = ({ store }: ResourcesUnderTest, key: ResourceKey) =>
  store.getResource(key.installationId, key.resourceId)

const runOf = (key: ResourceKey) => {
  const handle = environment.client.workflow.getHandle(resourceWorkflowId(key))
  return {
    describe: async () => {
      const { type, status, searchAttributes } = await handle.describe()
      return { type, status: status.name, phase: searchAttributes['HoldpointPhase']?.[0] }
    },
    ended: () =>
      handle.result().then(
        () => undefined,
        (error: Error) => (error.cause as Error).message,
      ),
  }
}

function refuse(
  step: CloudStep,
  { retryable, times = Infinity }: { retryable: boolean; times?: number },
) {
  let left = times
  return (at: CloudStep) =>
    at === step && left-- > 0
      ? Promise.reject(new ActionFailure('refused', 'There is no room.', { retryable }))
      : Promise.resolve()
}

/** A resource that stands. */
async function provisioned(under: ResourcesUnderTest): Promise<ResourceKey> {
  const key = await under.wanted()
  expect(await under.door.provision(key)).toEqual({ kind: 'done' })
  return key
}

const rotation = (rotationId: string, keepOldMs = 3_600_000) =>
  ({ kind: 'rotation', rotationId, keepOldMs }) as const
const renaming = {
  kind: 'update',
  changes: { name: 'Renamed', metadata: { region: 'iad1' } },
} as const

const loginsOf = ({ databases }: { databases: Cloud }, { resourceId }: ResourceKey) => [
  ...(databases.databases.get(resourceId) ?? []),
]

/** Every run that Temporal has of the resource, and of the ends of its secrets. */
async function runsOf(key: ResourceKey, rotationIds: readonly string[] = []) {
  const ids = [
    resourceWorkflowId(key),
    ...rotationIds.map((rotationId) => secretsExpiryWorkflowId(key, rotationId)),
  ]
  const runs: WorkflowExecutionInfo[] = []
  for (const id of ids)
    for await (const run of environment.client.workflow.list({ query: `WorkflowId = '${id}'` }))
      runs.push(run)
  return runs
}

describe('a resource that a customer wants', () => {
  test('is provisioned once, however often it is asked for, and its projects get its secrets', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await under.wanted()
    const asked = await Promise.all([1, 2, 3].map(() => under.door.provision(key)))
    expect(asked).toEqual([{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }])
    const resource = await rowOf(under, key)
    expect(resource).toMatchObject({ status: 'ready', reference: { generation: 1 } })
    const secrets = await under.door.secretsOf(resource!)
    expect(secrets['DATABASE_URL']?.reveal()).toBe(`postgres://${under.password(key, 1)}@db`)
    expect(secrets['DATABASE_HOST']).toBeInstanceOf(Secret)

    expect(await under.door.provision(key)).toEqual({ kind: 'done' })
    // As when the process that asked died before it read the store.
    const again = await provisionResource(under.dispatch, { key, deadlineMs: 5000 })
    await again?.result()
    expect(under.databases.calls).toEqual(['provision', 'provision done'])
    expect(under.told()).toEqual([])
  })

  test('is made by another worker when the first is cut off in the middle, which then keeps nothing', async () => {
    const proxy = await tcpProxy(environment.address)
    const under = await resourcesUnderTest(environment, {
      workerAddress: proxy.address,
      answerWithinMs: 50_000,
    })
    const key = await under.wanted()
    // A worker that stands still hears no signal.
    const [reached, release] = [gate(), gate()]
    under.databases.after = async (step) => {
      if (step !== 'provision') return
      reached.open()
      await release.opened
    }
    const asked = under.door.provision(key)
    await reached.opened
    proxy.cutOff()
    under.databases.after = () => Promise.resolve()
    await under.startAnotherWorker()
    expect(await asked).toEqual({ kind: 'done' })
    const kept = await rowOf(under, key)
    expect(kept).toMatchObject({ status: 'ready' })
    await under.store.putResource({ ...kept!, name: 'Renamed since' })
    // The first one wakes up, and asks whether it is still wanted.
    release.open()
    await vi.waitFor(() => expect(under.attempts).toContain('given up'), SOON)
    expect(under.databases.done('provision')).toBe(2)
    expect([...under.databases.databases.keys()]).toEqual([key.resourceId])
    expect(await rowOf(under, key)).toMatchObject({ name: 'Renamed since' })
  }, 60_000)

  test('is undone and forgotten when the provider refuses for good, and its customer reads why', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await under.wanted()
    under.databases.after = refuse('provision', { retryable: false })
    under.databases.before = refuse('deprovision', { retryable: true, times: 2 })
    expect(await under.door.provision(key)).toEqual({
      kind: 'failed',
      message: 'There is no room.',
    })
    expect(under.databases.databases.size).toBe(0)
    expect(await rowOf(under, key)).toBeUndefined()
    expect(await runOf(key).describe()).toEqual({
      type: 'resourceProvisioning',
      status: 'FAILED',
      phase: 'failed',
    })
    expect(await under.door.provision(key)).toMatchObject({ kind: 'failed' })
  })

  test('is undone at its deadline, and its customer reads what was wrong until then', async () => {
    const under = await resourcesUnderTest(environment, { deadline: '5 seconds' })
    const key = await under.wanted()
    under.databases.after = refuse('provision', { retryable: true })
    expect(await under.door.provision(key)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('There is no room.'),
    })
    expect(under.databases.databases.size).toBe(0)
    expect(await rowOf(under, key)).toBeUndefined()
  })

  test('is undone at its deadline when the provider is still at work then', async () => {
    const under = await resourcesUnderTest(environment, { deadline: '1 second' })
    const key = await under.wanted()
    holdCloud(under.databases, 'after', 'provision')
    expect(await under.door.provision(key)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('Not finished within 1 seconds'),
    })
    expect(under.databases.databases.size).toBe(0)
    expect(await rowOf(under, key)).toBeUndefined()
  })

  test('is undone when an operator cancels its run', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await under.wanted()
    const step = holdCloud(under.databases, 'after', 'provision')
    const asked = under.door.provision(key)
    await step.reached
    await environment.client.workflow.getHandle(resourceWorkflowId(key)).cancel()
    expect(await asked).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('The provider broke the work off'),
    })
    expect(under.databases.databases.size).toBe(0)
    expect(await rowOf(under, key)).toBeUndefined()
  })

  test('that is removed while it is being made leaves nothing', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await under.wanted()
    const step = holdCloud(under.databases, 'after', 'provision')
    const asked = under.door.provision(key)
    await step.reached
    await under.door.remove(key, 'The customer changed their mind.')
    expect(await asked).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('removed meanwhile'),
    })
    expect(await runOf(key).ended()).toBeUndefined()
    expect(await runOf(key).describe()).toMatchObject({
      type: 'resourceRemoval',
      status: 'COMPLETED',
    })
    expect(under.databases.databases.size).toBe(0)
    expect(await rowOf(under, key)).toBeUndefined()
  })
})

describe('a removal', () => {
  test('takes the branches first, then the resource, then what is known of it, and goes on while the provider refuses', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    const other = await provisioned(under)
    under.placeBranch('dpl_1', key)
    under.placeBranch('dpl_2', key)
    under.placeBranch('dpl_3', other)
    const order: string[] = []
    under.branches.after = async (step) => void order.push(step)
    const refused = refuse('deprovision', { retryable: true, times: 2 })
    under.databases.before = async (step) => {
      order.push(step)
      expect(await rowOf(under, key)).toBeDefined()
      await refused(step)
    }
    // Whatever the actions made there is listed until it was destroyed.
    under.branches.before = async (_, { key: { deploymentId } }) =>
      void under.branches.branches.delete(deploymentId)

    await under.door.remove(key, 'The customer deleted it.')
    await under.door.remove(key, 'The customer deleted it.')
    expect(await runOf(key).ended()).toBeUndefined()

    expect(order.filter((step) => step === 'destroy').length).toBeGreaterThanOrEqual(2)
    expect(order.slice(-3)).toEqual(['deprovision', 'deprovision', 'deprovision'])
    expect([...under.branches.branches]).toEqual(['dpl_3'])
    expect([...under.databases.databases.keys()]).toEqual([other.resourceId])
    expect(await rowOf(under, key)).toBeUndefined()
    expect(await rowOf(under, other)).toBeDefined()

    await under.door.remove(key, 'Once more.')
    expect(await runOf(key).ended()).toBeUndefined()
    expect(under.databases.done('deprovision')).toBe(1)
  }, 60_000)

  test('of an installation takes its resources, those too that are being made or changed', async () => {
    const under = await resourcesUnderTest(environment)
    const [standing, changing] = [await provisioned(under), await provisioned(under)]
    const making = await under.wanted()
    under.placeBranch('dpl_1', standing)
    under.branches.before = async (_, { key: { deploymentId } }) =>
      void under.branches.branches.delete(deploymentId)
    const step = holdCloud(under.databases, 'before', 'rotate')
    const rotated = under.door.change(changing, rotation('r1'))
    await step.reached
    const other = holdCloud(under.databases, 'after', 'provision')
    const made = under.door.provision(making)
    await other.reached

    const { installationId } = under
    const removal = await removeInstallation(under.dispatch, { installationId, because: 'Gone.' })
    await removal.result()

    expect([await rotated, await made]).toMatchObject([{ kind: 'failed' }, { kind: 'failed' }])
    expect(under.databases.databases.size).toBe(0)
    expect(under.branches.branches.size).toBe(0)
    expect(await under.store.listResources(installationId)).toEqual([])
    expect(await under.store.getInstallation(installationId)).toBeUndefined()
  }, 60_000)

  test('of a deployment takes what its actions made, and nothing of another one', async () => {
    const under = await resourcesUnderTest(environment)
    const { installationId } = under
    const one = { installationId, resourceId: 'db-1' }
    under.placeBranch('one', one, 'dpl_gone')
    under.placeBranch('two', { installationId: 'icfg_other', resourceId: 'db-2' }, 'dpl_gone')
    under.placeBranch('three', one, 'dpl_stays')
    under.branches.before = async (_, { key: { resourceId } }) =>
      void under.branches.branches.delete(resourceId === 'db-1' ? 'one' : 'two')
    const event = { kind: 'deployment-removed', deploymentId: 'dpl_gone' } as const
    expect(await dispatchEvent(under.dispatch, event)).toBe('accepted')
    const workflowId = deploymentRemovalWorkflowId('dpl_gone')
    await environment.client.workflow.getHandle(workflowId).result()
    expect([...under.branches.branches]).toEqual(['three'])
  }, 60_000)
})

describe('a change', () => {
  test('is done with the new settings and the old ones, and kept', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    expect(await under.door.change(key, renaming)).toEqual({ kind: 'done' })
    expect(await rowOf(under, key)).toMatchObject({
      ...renaming.changes,
      billingPlanId: 'pro',
      status: 'ready',
      reference: { generation: 1 },
    })
    expect(under.databases.done('update')).toBe(1)
  })

  test('that the provider refuses leaves the resource as it is known', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    const before = await rowOf(under, key)
    under.databases.before = refuse('update', { retryable: false })
    const failed = { kind: 'failed', message: 'There is no room.' }
    expect(await under.door.change(key, renaming)).toEqual(failed)
    expect(await rowOf(under, key)).toEqual(before)
    expect(under.databases.done('deprovision')).toBe(0)
  })

  test('is not begun while something else is being done, and is the same while it is at work', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    const step = holdCloud(under.databases, 'before', 'rotate')
    const rotated = under.door.change(key, rotation('r1'))
    await step.reached
    expect(await under.door.change(key, renaming)).toEqual({ kind: 'busy' })
    expect(await under.door.change(key, rotation('r2'))).toEqual({ kind: 'busy' })
    expect(await provisionResource(under.dispatch, { key, deadlineMs: 5000 })).toBeUndefined()
    const again = under.door.change(key, rotation('r1'))
    step.release()
    expect([await rotated, await again]).toEqual([{ kind: 'done' }, { kind: 'done' }])
    expect(under.databases.done('rotate')).toBe(1)
    expect(under.databases.done('update')).toBe(0)
  })

  test('of a resource that is not provisioned, or not there, is not begun', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await under.wanted()
    expect(await under.door.change(key, renaming)).toEqual({ kind: 'busy' })
    await under.store.removeResource(key.installationId, key.resourceId)
    expect(await under.door.change(key, renaming)).toMatchObject({ kind: 'failed' })
  })
})

describe('a rotation', () => {
  test('keeps the old secrets for their time, and ends them then', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    let expiredAt = 0
    under.databases.before = async (step) => {
      if (step === 'expire') expiredAt = Date.now()
    }
    const begunAt = Date.now()
    expect(await under.door.change(key, rotation('r1', 4000))).toEqual({ kind: 'done' })
    expect(loginsOf(under, key)).toEqual([1, 2])
    const { DATABASE_URL } = await under.door.secretsOf((await rowOf(under, key))!)
    expect(DATABASE_URL?.reveal()).toContain(under.password(key, 2))
    await vi.waitFor(() => expect(loginsOf(under, key)).toEqual([2]), SOON)
    expect(expiredAt - begunAt).toBeGreaterThanOrEqual(4000)
  })

  test('that is asked for twice is one, at the same time and later', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    const both = [1, 2].map(() => under.door.change(key, rotation('r1', 0)))
    expect(await Promise.all(both)).toEqual([{ kind: 'done' }, { kind: 'done' }])
    await vi.waitFor(() => expect(loginsOf(under, key)).toEqual([2]), SOON)
    expect(await under.door.change(key, rotation('r1', 0))).toEqual({ kind: 'done' })
    expect(under.databases.calls.filter((call) => call === 'rotate')).toHaveLength(1)
    // Something else was done in between, so Temporal does not show it as the latest.
    await under.door.change(key, renaming)
    expect(await under.door.change(key, rotation('r1', 0))).toEqual({ kind: 'done' })
    expect(loginsOf(under, key)).toEqual([2])
    expect(under.databases.done('expire')).toBe(1)
  })

  test('ends no secrets that a later one has promised to keep', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    await under.door.change(key, rotation('r1', 4000))
    await under.door.change(key, rotation('r2'))
    expect(loginsOf(under, key)).toEqual([1, 2, 3])
    await vi.waitFor(() => expect(under.databases.done('expire')).toBe(1), SOON)
    expect(loginsOf(under, key)).toEqual([2, 3])
  })

  test('ends the old secrets of a resource that was transferred since', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    await under.door.change(key, rotation('r1', 4000))
    const [from, to] = [under.installationId, `${under.installationId}_other`]
    const other = { id: to, scopes: [], acceptedPolicies: {}, state: 'active' } as const
    await under.store.putInstallation(other, undefined)
    await under.store.putTransferRequest({
      claimId: 'claim',
      fromInstallationId: from,
      resourceIds: [key.resourceId],
      expiresAtMs: Date.now() + 60_000,
    })
    expect(await under.store.acceptTransferRequest('claim', to, Date.now())).toBeTruthy()
    await vi.waitFor(() => expect(loginsOf(under, key)).toEqual([2]), SOON)
  })

  test('has nothing to end when the resource is gone', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    await under.door.change(key, rotation('r1', 4000))
    await under.store.removeResource(key.installationId, key.resourceId)
    const workflowId = secretsExpiryWorkflowId(key, 'r1')
    await environment.client.workflow.getHandle(workflowId).result()
    expect(under.databases.done('expire')).toBe(0)
  })
})

describe('what takes longer than Vercel waits', () => {
  const target = ({ installationId, resourceId }: ResourceKey) =>
    `/v1/installations/${installationId}/resources/${resourceId}`
  const secretsOf = (under: ResourcesUnderTest, key: ResourceKey, generation: number) => [
    { name: 'DATABASE_URL', value: `postgres://${under.password(key, generation)}@db` },
    { name: 'DATABASE_HOST', value: 'db' },
  ]
  const plan = { id: 'pro', type: 'subscription', name: 'Pro', description: 'More of it' }

  test('is told with the secrets, until Vercel knows the resource, and no history has them', async () => {
    const under = await resourcesUnderTest(environment, { answerWithinMs: 100 })
    const key = await under.wanted()
    under.refusals.push(404, 503)
    const step = holdCloud(under.databases, 'before', 'provision')
    expect(await under.door.provision(key)).toEqual({ kind: 'goes-on' })
    expect(await under.door.provision(key)).toEqual({ kind: 'goes-on' })
    step.release()
    expect(await runOf(key).ended()).toBeUndefined()
    const ready = {
      status: 'ready',
      name: 'My database',
      metadata: { region: 'fra1' },
      billingPlan: plan,
      secrets: secretsOf(under, key, 1),
    }
    const sent = { method: 'PATCH', target: target(key), body: ready }
    expect(under.told()).toEqual([sent, sent, sent])

    await vi.waitFor(async () => expect(await runsOf(key)).not.toEqual([]), SOON)
    const history = await readableHistory(environment.client, resourceWorkflowId(key))
    expect(history).toContain(`"resourceId":"${key.resourceId}"`)
    expect(history).not.toContain(under.password(key, 1))
  })

  test('is told as an error when it fails', async () => {
    const under = await resourcesUnderTest(environment, { answerWithinMs: 100 })
    const key = await under.wanted()
    const step = holdCloud(under.databases, 'before', 'provision')
    under.databases.after = refuse('provision', { retryable: false })
    expect(await under.door.provision(key)).toEqual({ kind: 'goes-on' })
    step.release()
    expect(await runOf(key).ended()).toBe('There is no room.')
    const title = 'The resource was not provisioned'
    expect(under.told()).toEqual([
      {
        method: 'PATCH',
        target: target(key),
        body: {
          status: 'error',
          notification: { level: 'error', title, message: 'There is no room.' },
        },
      },
    ])
    expect(await rowOf(under, key)).toBeUndefined()
  })

  test('is told of a rotation, whose old secrets do not end before, and no history has them', async () => {
    const under = await resourcesUnderTest(environment, { answerWithinMs: 100 })
    const key = await under.wanted()
    await provisionResource(under.dispatch, { key, deadlineMs: 5000 }).then((run) => run?.result())
    const step = holdCloud(under.databases, 'before', 'rotate')
    under.refusals.push(500)
    expect(await under.door.change(key, rotation('r1', 0))).toEqual({ kind: 'goes-on' })
    step.release()
    expect(await runOf(key).ended()).toBeUndefined()
    const sent = {
      method: 'PUT',
      target: `${target(key)}/secrets`,
      body: { secrets: secretsOf(under, key, 2) },
    }
    expect(under.told()).toEqual([sent, sent])
    await vi.waitFor(() => expect(loginsOf(under, key)).toEqual([2]), SOON)

    await vi.waitFor(async () => expect(await runsOf(key, ['r1'])).toHaveLength(3), SOON)
    for (const { workflowId, runId } of await runsOf(key, ['r1'])) {
      const history = await readableHistory(environment.client, workflowId, runId)
      expect(history).toContain(`"resourceId":"${key.resourceId}"`)
      for (const generation of [1, 2])
        expect(history).not.toContain(under.password(key, generation))
    }
  })

  test('keeps the old secrets when Vercel does not want the new ones', async () => {
    const under = await resourcesUnderTest(environment, { answerWithinMs: 100 })
    const key = await under.wanted()
    await provisionResource(under.dispatch, { key, deadlineMs: 5000 }).then((run) => run?.result())
    const step = holdCloud(under.databases, 'before', 'rotate')
    under.refusals.push(422)
    expect(await under.door.change(key, rotation('r1', 0))).toEqual({ kind: 'goes-on' })
    step.release()
    expect(await runOf(key).ended()).toContain('Old secrets stay good')
    expect(loginsOf(under, key)).toEqual([1, 2])
    await expect(
      environment.client.workflow.getHandle(secretsExpiryWorkflowId(key, 'r1')).describe(),
    ).rejects.toThrow(WorkflowNotFoundError)
  })

  test('is told of a change as it is now, done or not', async () => {
    const under = await resourcesUnderTest(environment, { answerWithinMs: 100 })
    const key = await under.wanted()
    await provisionResource(under.dispatch, { key, deadlineMs: 5000 }).then((run) => run?.result())
    const step = holdCloud(under.databases, 'before', 'update')
    expect(await under.door.change(key, renaming)).toEqual({ kind: 'goes-on' })
    step.release()
    expect(await runOf(key).ended()).toBeUndefined()
    const now = { status: 'ready', ...renaming.changes, billingPlan: plan }
    const sent = { method: 'PATCH', target: target(key) }
    const done = { ...sent, body: { ...now, secrets: secretsOf(under, key, 1) } }
    expect(under.told()).toEqual([done])

    const other = holdCloud(under.databases, 'before', 'update')
    under.databases.after = refuse('update', { retryable: false })
    const change = { kind: 'update', changes: { name: 'Other' } } as const
    expect(await under.door.change(key, change)).toEqual({ kind: 'goes-on' })
    other.release()
    expect(await runOf(key).ended()).toBe('There is no room.')
    const title = 'The resource was not changed'
    const notification = { level: 'error', title, message: 'There is no room.' }
    expect(under.told()).toEqual([done, { ...sent, body: { ...now, notification } }])
  })

  test('gives way to a removal, even while Vercel does not want to hear of it', async () => {
    const under = await resourcesUnderTest(environment, { answerWithinMs: 100 })
    const key = await under.wanted()
    under.refusals.push(...Array<number>(100).fill(503))
    const step = holdCloud(under.databases, 'before', 'provision')
    expect(await under.door.provision(key)).toEqual({ kind: 'goes-on' })
    step.release()
    await vi.waitFor(() => expect(under.told()).not.toEqual([]), SOON)
    await under.door.remove(key, 'The customer deleted it.')
    await vi.waitFor(async () => expect(await rowOf(under, key)).toBeUndefined(), SOON)
    expect(under.databases.databases.size).toBe(0)
  })
})

describe('the secrets of a resource', () => {
  test('are a failure that says so when the product cannot tell them', async () => {
    const under = await resourcesUnderTest(environment)
    const key = await provisioned(under)
    under.databases.databases.get(key.resourceId)?.clear()
    await expect(under.door.secretsOf((await rowOf(under, key))!)).rejects.toMatchObject({
      name: 'ActionFailure',
      code: 'refused',
    })
  })
})
