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
import { ActionFailure } from '../../src/domain/failure.ts'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import {
  timeSkippingEnvironment,
  type TemporalEnvironment,
} from '../servers/temporal-environment.ts'
import { branchAction, type BranchProvider, branchProvider, holdStep } from './branch-provider.ts'
import { type HeldBuilds, holdBuilds } from './hold-builds.ts'

let environment: TemporalEnvironment
let provider: BranchProvider
let builds: HeldBuilds

beforeAll(async () => {
  environment = await timeSkippingEnvironment()
})
afterAll(() => environment.teardown())
beforeEach(async () => {
  provider = branchProvider()
  builds = await holdBuilds(environment, { branch: branchAction(provider) })
})
afterEach(() => builds.close())

/** What Vercel has taken of the deployment's action, in order. */
const taken = (id: string) => builds.vercel.deployment(id).actions[0]?.acceptedStatuses

describe('a deployment that is held', () => {
  test('gets its branch and its outcome, and is released', async () => {
    const { id } = builds.deploy()
    const released = await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(released.env['DATABASE_URL']).toMatch(/^postgres:\/\/.{43}@db$/)
    expect(await builds.ended({ id })).toMatchObject({
      type: 'deploymentAction',
      status: 'COMPLETED',
      phase: 'succeeded',
    })
    expect(taken(id)).toEqual(['running', 'succeeded'])
    expect(provider.calls).toEqual(['create', 'create done', 'open', 'open done'])
    expect(provider.has(builds.keyOf({ id }))).toBe(true)
  })

  test('keeps nothing when the provider refuses for good, and its user reads why', async () => {
    provider.after = (step) =>
      step === 'create'
        ? Promise.reject(
            new ActionFailure('quota', 'No branch is left: delete one.', { retryable: false }),
          )
        : Promise.resolve()
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({
      status: 'FAILED',
      phase: 'failed',
      message: 'No branch is left: delete one.',
    })
    expect(builds.vercel.deployment(id).actions[0]).toMatchObject({
      status: 'failed',
      statusText: 'No branch is left: delete one.',
    })
    expect(provider.branches.size).toBe(0)
  })

  test('is released after the provider failed for a while', async () => {
    let failures = 3
    provider.before = (step) =>
      step === 'create' && failures-- > 0
        ? Promise.reject(new ActionFailure('busy', 'Busy.', { retryable: true }))
        : Promise.resolve()
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
    expect(taken(id)?.at(-1)).toBe('succeeded')
  })

  test('is told an internal error without its text, which may hold anything', async () => {
    provider.before = (step) =>
      step === 'create'
        ? Promise.reject(new TypeError('password hunter2 is wrong'))
        : Promise.resolve()
    const { id } = builds.deploy()
    await builds.ended({ id })
    const handle = environment.client.workflow.getHandle(actionWorkflowId(builds.keyOf({ id })))
    expect(JSON.stringify(await handle.fetchHistory())).not.toContain('hunter2')
    expect(builds.vercel.deployment(id).actions[0]?.statusText).toContain(
      'Not finished within 60 seconds',
    )
    expect(provider.branches.size).toBe(0)
  })

  test('is given up at the deadline: undone, reported failed, with a text for people', async () => {
    provider.before = (step) =>
      step === 'create'
        ? Promise.reject(
            new ActionFailure('down', 'Down.', { retryable: true, retryAfterMs: 20_000 }),
          )
        : Promise.resolve()
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ status: 'FAILED', phase: 'failed' })
    expect(taken(id)).toEqual(['running', 'failed'])
    expect(builds.vercel.deployment(id).actions[0]?.statusText).toMatch(
      /within 60 seconds.*undone.*deploy again/i,
    )
    expect(provider.calls).toContain('destroy done')
  })

  test('gets no outcome whose credentials were not proved', async () => {
    provider.before = (step) =>
      step === 'open'
        ? Promise.reject(
            new ActionFailure('login_refused', 'The login is refused.', { retryable: false }),
          )
        : Promise.resolve()
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ phase: 'failed' })
    expect(taken(id)).toEqual(['running', 'failed'])
    expect(provider.branches.size).toBe(0)
  })
})

describe('that an action is running', () => {
  const heldWith = async (reportRunningAfterMs: number | null) => {
    const held = await holdBuilds(
      environment,
      { branch: branchAction(provider) },
      { reportRunningAfterMs },
    )
    onTestFinished(() => held.close())
    return held
  }
  const takenBy = async (held: HeldBuilds) => {
    const { id } = held.deploy()
    expect(await held.ended({ id })).toMatchObject({ phase: 'succeeded' })
    return held.vercel.deployment(id).actions[0]?.acceptedStatuses
  }
  test('is never told where it was switched off', async () => {
    expect(await takenBy(await heldWith(null))).toEqual(['succeeded'])
  })

  test('is not told of an action that is quicker', async () => {
    expect(await takenBy(await heldWith(10_000))).toEqual(['succeeded'])
  })
})

describe('a start whose deployment does not wait creates nothing', () => {
  test.each(['skipped', 'timeout', 'ready'])('as its integrations are %s', async (status) => {
    builds.vercel.dials.deploymentOverrides = { integrations: { status } }
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ status: 'COMPLETED', phase: 'skipped' })
    expect(provider.calls).toEqual([])
    expect(taken(id)).toEqual([])
  })

  test('as Vercel does not show it (404), and says so in case it waits after all', async () => {
    builds.vercel.dials.failNext.push({
      match: { kind: 'get' },
      answer: { status: 404 },
      times: 100,
    })
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ status: 'FAILED', phase: 'failed' })
    expect(provider.calls).toEqual([])
    expect(taken(id)).toEqual(['failed'])
    expect(builds.vercel.deployment(id).actions[0]?.statusText).toContain(id)
  })

  test('as its action is not declared, and says which are', async () => {
    const project = builds.vercel.createProject({
      name: 'other',
      resources: [
        { resourceId: 'db/42 %', actions: { undeclared: { environments: ['preview'] } } },
      ],
    })
    const { id } = builds.vercel.deploy(project, { environment: 'preview' })
    expect(await builds.ended({ id }, { action: 'undeclared' })).toMatchObject({
      status: 'FAILED',
      phase: 'failed',
    })
    expect(builds.vercel.deployment(id).actions[0]?.statusText).toMatch(
      /no action "undeclared".*branch/,
    )
    expect(provider.calls).toEqual([])
  })

  test('unless Vercel knew it only a moment later', async () => {
    builds.vercel.dials.failNext.push({ match: { kind: 'get' }, answer: { status: 404 }, times: 2 })
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
  })
})

describe('time takes nothing away', () => {
  test('a deployment that succeeded is cleaned up half a year later', async () => {
    const { id } = builds.deploy()
    await builds.ended({ id })
    await environment.sleep(180 * 24 * 3_600_000)
    builds.vercel.remove(id)
    expect(await builds.ended({ id }, { after: 'cleanup' })).toMatchObject({
      type: 'compensation',
      status: 'COMPLETED',
      phase: 'cleaned',
    })
    expect(provider.branches.size).toBe(0)
  })
})

test('an outcome waits for its turn, past the deadline too, when Vercel takes no more updates', async () => {
  builds.vercel.dials.failNext.push({
    match: { kind: 'patch', status: 'succeeded' },
    answer: { status: 429, headers: { 'retry-after': '240' } },
  })
  const { id } = builds.deploy()
  expect(await builds.ended({ id })).toMatchObject({ status: 'COMPLETED', phase: 'succeeded' })
  expect(provider.has(builds.keyOf({ id }))).toBe(true)
  // A queue for it would take the workers from others, as many as wait in line.
  const run = environment.client.workflow.getHandle(actionWorkflowId(builds.keyOf({ id })))
  const { events } = await run.fetchHistory()
  const queued = events?.flatMap((each) => each.activityTaskScheduledEventAttributes ?? [])
  expect(queued?.map(({ activityType }) => activityType?.name)).toEqual(['provision'])
})

describe('a report that Vercel refuses destroys nothing that a build may use', () => {
  test.each([400, 404, 409, 410] as const)(
    'an answer was lost and the retry gets %i: the deployment went on, so its branch is kept',
    async (status) => {
      builds.vercel.dials.updateAfterTerminal = status
      builds.vercel.dials.failNext.push({
        match: { kind: 'patch', status: 'succeeded' },
        answer: 'cut-after',
      })
      const { id } = builds.deploy()
      expect(await builds.ended({ id })).toMatchObject({ status: 'COMPLETED', phase: 'succeeded' })
      expect(builds.vercel.deployment(id).actions[0]).toMatchObject({
        status: 'succeeded',
        terminalBodies: 1,
      })
      expect(provider.has(builds.keyOf({ id }))).toBe(true)
    },
  )

  test.each([400, 404, 409, 410] as const)(
    'the deployment lapsed and the report gets %i: undone, and nothing more is reported',
    async (status) => {
      builds.vercel.dials.updateAfterEnd = status
      builds.vercel.dials.cancelAfterSkip = false
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      builds.vercel.skip(id)
      step.release()
      expect(await builds.ended({ id })).toMatchObject({ phase: 'canceled' })
      expect(provider.branches.size).toBe(0)
      expect(taken(id)).not.toContain('failed')
    },
  )

  test('a report that is refused outright (400) while the build is held: undone and reported failed', async () => {
    builds.vercel.dials.failNext.push({
      match: { kind: 'patch', status: 'succeeded' },
      answer: { status: 400 },
      times: 100,
    })
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ status: 'FAILED', phase: 'failed' })
    expect(taken(id)).toEqual(['running', 'failed'])
    expect(provider.branches.size).toBe(0)
  })

  test.each([
    ['for a moment: the branch that the build uses is kept', 2, 'succeeded'],
    ['for good: it was removed, and the branch goes', 1000, 'canceled'],
  ] as const)('an answer was lost, and the deployment is not shown %s', async (_, times, phase) => {
    const { failNext } = builds.vercel.dials
    failNext.push({ match: { kind: 'patch', status: 'succeeded' }, answer: 'cut-after' })
    provider.after = (step) => {
      // By now the deployment was read for the first time.
      if (step === 'create')
        failNext.push({ match: { kind: 'get' }, answer: { status: 404 }, times })
      return Promise.resolve()
    }
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ phase })
    expect(provider.has(builds.keyOf({ id }))).toBe(phase === 'succeeded')
  })

  test('Vercel is down for an hour with the answer lost before: the branch waits, and is kept', async () => {
    const { failNext } = builds.vercel.dials
    failNext.push({ match: { kind: 'patch', status: 'succeeded' }, answer: 'cut-after' })
    failNext.push({
      match: { kind: 'patch', status: 'succeeded' },
      answer: { status: 503 },
      times: 60,
    })
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
    expect(provider.has(builds.keyOf({ id }))).toBe(true)
    expect(failNext).toEqual([])
  })

  test('a rate limit is waited out as long as Vercel asks', async () => {
    builds.vercel.dials.failNext.push({
      match: { kind: 'patch', status: 'succeeded' },
      answer: { status: 429, headers: { 'retry-after': '7' } },
    })
    const { id } = builds.deploy()
    const before = await environment.currentTimeMs()
    expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
    expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(7000)
  })
})

describe('a token that Vercel refuses', () => {
  test('is tried again, since Vercel replaces tokens at run time', async () => {
    builds.vercel.dials.failNext.push({ answer: { status: 401 }, times: 3 })
    const { id } = builds.deploy()
    expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
  })

  test('for good ends the action at its deadline, with nothing left at the provider', async () => {
    const step = holdStep(provider, 'after', 'create')
    const { id } = builds.deploy()
    await step.reached
    builds.vercel.installation.accessToken = 'another'
    step.release()
    expect(await builds.ended({ id })).toMatchObject({ status: 'FAILED', phase: 'failed' })
    expect(provider.branches.size).toBe(0)
  })
})
