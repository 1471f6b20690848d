import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest'
import { actionDigest, actionWorkflowId } from '../../src/domain/action-key.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import {
  branchAction,
  type BranchProvider,
  branchProvider,
  gate,
  holdStep,
} from './branch-provider.ts'
import { type HeldBuilds, holdBuilds } from './hold-builds.ts'

// On a real server: the time-skipping one loses its hold of the clock when a start is refused as a duplicate, and
// rejects the task of a run that cancels an activity just completed.

/** How long a step goes on after it was told to stop. */
const SLOW_STEP_MS = 300

let environment: TemporalEnvironment
let provider: BranchProvider
let builds: HeldBuilds

beforeAll(async () => {
  environment = await devServerEnvironment()
})
afterAll(() => environment.teardown())
beforeEach(async () => {
  provider = branchProvider()
  builds = await holdBuilds(environment, { branch: branchAction(provider) })
})
afterEach(() => builds.close())

/** What Vercel has taken of the deployment's action, in order. */
const taken = (id: string) => builds.vercel.deployment(id).actions[0]?.acceptedStatuses

describe('a start that is delivered again', () => {
  test('changes nothing: one branch, one report', async () => {
    builds.vercel.dials.duplicateWebhooks = 'new-id'
    const { id } = builds.deploy()
    await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
    await builds.ended({ id })
    const again = builds.vercel.actionEvent('start', id)
    expect((await builds.vercel.sendWebhook(again)).status).toBe(200)
    expect((await builds.vercel.sendWebhook(again)).status).toBe(200)
    expect(taken(id)).toEqual(['running', 'succeeded'])
    expect(provider.calls.filter((call) => call === 'create')).toHaveLength(1)
  })
})

test('an action that does not get there by its deadline is undone, and its user reads what was wrong', async () => {
  const down = branchProvider()
  down.after = (step) =>
    step === 'create'
      ? Promise.reject(new ActionFailure('down', 'The database is paused.', { retryable: true }))
      : Promise.resolve()
  const short = await holdBuilds(environment, {
    branch: branchAction(down, { deadline: '5 seconds' }),
  })
  onTestFinished(() => short.close())
  const { id } = short.deploy()
  expect(await short.ended({ id })).toMatchObject({ status: 'FAILED', phase: 'failed' })
  expect(short.vercel.deployment(id).actions[0]).toMatchObject({
    status: 'failed',
    statusText: 'The database is paused. It was tried until the deadline, then it was given up.',
  })
  expect(down.branches.size).toBe(0)
})

test('the work does not wait until Vercel knows that it runs, which is never told after the outcome', async () => {
  builds.vercel.dials.failNext.push({
    match: { kind: 'patch', status: 'running' },
    answer: 'no-answer',
  })
  const { id } = builds.deploy()
  const updated = () =>
    builds.vercel.records.some((event) => event.kind === 'request' && event.method === 'PATCH')
  // A request is recorded when it is over: the work did not wait for it.
  await expect.poll(() => provider.calls).toContain('create done')
  expect(updated()).toBe(false)
  expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
  expect(taken(id)).toEqual(['succeeded'])
  const updates = builds.vercel.records.flatMap((event) =>
    event.kind === 'request' && event.method === 'PATCH' ? [event.body] : [],
  )
  expect(updates).toMatchObject([{ status: 'running' }, { status: 'succeeded' }])
})

test('a step can ask whether it is still wanted, and hears when it was given up', async () => {
  const answers: unknown[] = []
  let late: (() => Promise<void>) | undefined
  provider.before = async (step, call) => {
    if (step !== 'create') return
    answers.push(await call.confirm())
    late = () => call.confirm()
  }
  const { id } = builds.deploy()
  expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
  expect(answers).toEqual([undefined])
  await expect(late?.()).rejects.toMatchObject({ code: 'attempt_given_up', retryable: true })
})

describe('the steps migrate and ready', () => {
  let stepwise: HeldBuilds
  beforeEach(async () => {
    stepwise = await holdBuilds(environment, { branch: branchAction(provider, { steps: true }) })
  })
  afterEach(() => stepwise.close())

  test('run after the branch is made and before its address is given out, each as an activity', async () => {
    const { id } = stepwise.deploy()
    expect(await stepwise.ended({ id })).toMatchObject({ phase: 'succeeded' })
    expect(provider.calls.filter((call) => call.endsWith('done'))).toEqual([
      'create done',
      'migrate done',
      'ready done',
      'open done',
    ])
    const run = environment.client.workflow.getHandle(actionWorkflowId(stepwise.keyOf({ id })))
    const { events } = await run.fetchHistory()
    const activities = events?.flatMap(
      ({ activityTaskScheduledEventAttributes }) =>
        activityTaskScheduledEventAttributes?.activityType?.name ?? [],
    )
    // What is short is local, and stands in the history as markers.
    expect(activities).toEqual(['provision', 'migrate', 'ready'])
  })

  test.each(['migrate', 'ready'] as const)(
    'are undone with the rest when %s fails, and its user reads why',
    async (failing) => {
      provider.before = (step) =>
        step === failing
          ? Promise.reject(new ActionFailure('x', 'Line 3 is wrong.', { retryable: false }))
          : Promise.resolve()
      const { id } = stepwise.deploy()
      expect(await stepwise.ended({ id })).toMatchObject({ status: 'FAILED', phase: 'failed' })
      expect(stepwise.vercel.deployment(id).actions[0]).toMatchObject({
        status: 'failed',
        statusText: 'Line 3 is wrong.',
      })
      expect(provider.branches.size).toBe(0)
    },
  )

  test.each(['migrate', 'ready'] as const)(
    'are stopped by a cancel that comes during %s, and undone',
    async (name) => {
      const step = holdStep(provider, 'before', name)
      const { id } = stepwise.deploy()
      await step.reached
      stepwise.vercel.cancel(id)
      expect(await stepwise.ended({ id })).toMatchObject({ status: 'CANCELLED', phase: 'canceled' })
      expect(provider.calls).not.toContain(`${name} done`)
      expect(provider.branches.size).toBe(0)
    },
  )
})

describe('a cancel leaves nothing behind', () => {
  test.each(['before', 'after'] as const)(
    'when it comes %s the branch is made, and waits for the step in hand',
    async (when) => {
      const step = holdStep(provider, when, 'create')
      const { id } = builds.deploy()
      await step.reached
      builds.vercel.cancel(id)
      expect(await builds.ended({ id })).toMatchObject({
        type: 'deploymentAction',
        status: 'CANCELLED',
        phase: 'canceled',
      })
      expect(provider.branches.size).toBe(0)
      expect(provider.calls.at(-1)).toBe('destroy done')
      expect(taken(id)).not.toContain('failed')
      expect(taken(id)).not.toContain('succeeded')
    },
  )

  test('when the step in hand does not stop at once but makes its branch all the same', async () => {
    const reached = gate()
    provider.before = async (step, { signal }) => {
      if (step !== 'create') return
      reached.open()
      await once(signal, 'abort')
      await delay(SLOW_STEP_MS)
    }
    const { id } = builds.deploy()
    await reached.opened
    builds.vercel.cancel(id)
    expect(await builds.ended({ id })).toMatchObject({ status: 'CANCELLED', phase: 'canceled' })
    await expect.poll(() => provider.calls).toContain('create done')
    expect(provider.calls.slice(-2)).toEqual(['destroy', 'destroy done'])
    expect(provider.branches.size).toBe(0)
  })

  test('when it comes while the report is on its way', async () => {
    builds.vercel.dials.failNext.push({
      match: { kind: 'patch', status: 'succeeded' },
      answer: 'no-answer',
      times: 100,
    })
    const { id } = builds.deploy()
    await builds.vercel.untilEvent(
      (event) => event.kind === 'deployment' && event.change === 'action-running',
    )
    builds.vercel.cancel(id)
    expect(await builds.ended({ id })).toMatchObject({ status: 'CANCELLED', phase: 'canceled' })
    expect(provider.branches.size).toBe(0)
  })

  test('when it comes after success: a canceled deployment never serves', async () => {
    const { id } = builds.deploy()
    await builds.ended({ id })
    builds.vercel.cancel(id)
    expect(await builds.ended({ id }, { after: 'cancel' })).toMatchObject({
      type: 'compensation',
      status: 'COMPLETED',
      phase: 'canceled',
    })
    expect(provider.branches.size).toBe(0)
  })

  test('when it comes before its start, which then finds a tombstone', async () => {
    builds.vercel.dials.holdWebhooks = ['deployment.integration.action.start']
    const { id } = builds.deploy()
    builds.vercel.cancel(id)
    expect(await builds.ended({ id }, { after: 'cancel' })).toMatchObject({
      type: 'compensation',
      phase: 'canceled',
    })
    await builds.vercel.releaseWebhooks()
    expect(await builds.ended({ id })).toMatchObject({ type: 'compensation', phase: 'canceled' })
    expect(provider.calls).not.toContain('create')
  })

  test('when the undo fails again and again: it is retried until it holds', async () => {
    let failures = 3
    provider.before = (step) =>
      step === 'destroy' && failures-- > 0 ? Promise.reject(new Error('down')) : Promise.resolve()
    const step = holdStep(provider, 'after', 'create')
    const { id } = builds.deploy()
    await step.reached
    builds.vercel.cancel(id)
    expect(await builds.ended({ id })).toMatchObject({ status: 'CANCELLED', phase: 'canceled' })
    expect(failures).toBeLessThan(0)
    expect(provider.branches.size).toBe(0)
  })

  test('when an operator cancels the run in Temporal', async () => {
    const step = holdStep(provider, 'after', 'create')
    const { id } = builds.deploy()
    await step.reached
    await environment.client.workflow.getHandle(actionWorkflowId(builds.keyOf({ id }))).cancel()
    expect(await builds.ended({ id })).toMatchObject({ status: 'CANCELLED', phase: 'canceled' })
    expect(provider.branches.size).toBe(0)
  })
})

describe('a cleanup leaves nothing behind', () => {
  test('of an action that no history tells of', async () => {
    builds.vercel.dials.dropWebhooks = ['deployment.integration.action.start']
    const { id } = builds.deploy()
    const key = builds.keyOf({ id })
    provider.branches.add(actionDigest(key))
    builds.vercel.remove(id)
    expect(await builds.ended({ id }, { after: 'cleanup' })).toMatchObject({
      type: 'compensation',
      phase: 'cleaned',
    })
    expect(provider.has(key)).toBe(false)
  })

  test('of an action in the middle of its work, and outweighs a cancel that comes with it', async () => {
    const step = holdStep(provider, 'after', 'create')
    const { id } = builds.deploy()
    await step.reached
    const send = (kind: 'cancel' | 'cleanup') =>
      builds.vercel.sendWebhook(builds.vercel.actionEvent(kind, id))
    await Promise.all([send('cancel'), send('cleanup'), send('cancel')])
    expect(await builds.ended({ id })).toMatchObject({ status: 'CANCELLED', phase: 'cleaned' })
    expect(provider.branches.size).toBe(0)
  })
})
