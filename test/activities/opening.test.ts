import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Secret } from '../../src/domain/secret.ts'
import type { DeployOptions } from '../../src/simulator/index.ts'
import { activitiesForTest, failureOf } from './activities-for-test.ts'

const options = z.object({
  size: z.number().default(1),
  mode: z.enum(['copy', 'empty']).default('copy'),
})

describe('option values', () => {
  test('are those of the event, where it had some', async () => {
    const { run, request } = await activitiesForTest({ options }, { options: { size: 3 } })
    const opened = await run('openAction', {
      ...request,
      options: { size: 9 },
    })
    expect(opened.options).toEqual({ size: 9 })
  })

  test('are read from the resource’s metadata when it had none', async () => {
    const { run, request } = await activitiesForTest(
      { options },
      { options: { size: 3, mode: 'empty' } },
    )
    const opened = await run('openAction', request)
    expect(opened.options).toEqual({ size: 3, mode: 'empty' })
  })

  test('are asked of nobody when the action takes none', async () => {
    const { run, request, vercel } = await activitiesForTest()
    const opened = await run('openAction', request)
    expect(opened).toMatchObject({ options: {}, steps: [] })
    const asked = vercel.records.flatMap((event) => (event.kind === 'request' ? [event.path] : []))
    expect(asked).toEqual([expect.stringContaining('/v13/deployments/')])
  })

  test('that the schema refuses fail the action for good: the field is named, not its value', async () => {
    const { run, step } = await activitiesForTest(
      { options, provision: () => Promise.resolve('made') },
      { options: { size: 'hunter2', mode: 'hunter2' } },
    )
    const failure = await failureOf(run('provision', step))
    expect(failure).toMatchObject({ type: 'options_invalid', nonRetryable: true })
    expect(failure.message).toMatch(/so nothing was made.*size: .*mode: /)
    expect(failure.message).not.toContain('hunter2')
  })

  test('that are left out reach the action as the schema’s defaults', async () => {
    const { run, step } = await activitiesForTest({
      options,
      provision: (call: { options: unknown }) => Promise.resolve(call.options),
    })
    expect(await run('provision', step)).toEqual({ size: 1, mode: 'copy' })
  })
})

test('the deployment is answered as it stands, and whether the action works at a provider', async () => {
  const { run, request } = await activitiesForTest({
    provision: () => Promise.resolve(),
  })
  expect(await run('openAction', request)).toMatchObject({
    deployment: { id: request.key.deploymentId, gitBranch: 'feature/x', standing: 'waiting' },
    steps: ['provision'],
  })
})

describe('a deployment that Vercel does not know', () => {
  test.each([
    [1, false],
    [3, false],
    [4, true],
  ])('at attempt %i: final is %s', async (attempt, nonRetryable) => {
    const { run, request } = await activitiesForTest({}, { attempt })
    const key = { ...request.key, deploymentId: 'dpl_unknown' }
    const failure = await failureOf(run('openAction', { ...request, key }))
    expect(failure).toMatchObject({ type: 'deployment_unknown', nonRetryable })
    expect(failure.message).toContain('dpl_unknown')
  })
})

test('a refusal of Vercel keeps its code and its wait', async () => {
  const { run, request, vercel } = await activitiesForTest()
  vercel.dials.failNext.push({ answer: { status: 429, headers: { 'retry-after': '3' } } })
  expect(await failureOf(run('openAction', request))).toMatchObject({
    type: 'vercel_rate_limited',
    nonRetryable: false,
    nextRetryDelay: 3000,
  })
})

describe('an action that has nothing to do but its report', () => {
  const outcome = () => Promise.resolve({ KEY: new Secret('hunter2') })

  test('is reported as it is opened, once, by the process that began it', async () => {
    const { run, request, headStarts, taken, sent } = await activitiesForTest(
      { outcome },
      { isLocal: true },
    )
    const headStart = headStarts.begin(request)
    const opened = await run('openAction', { ...request, headStart })
    expect(opened).toMatchObject({ steps: [], report: { kind: 'taken' } })
    expect(JSON.stringify(opened)).not.toContain('hunter2')
    expect(taken()).toEqual(['succeeded'])
    expect(await run('openAction', { ...request, headStart })).not.toHaveProperty('report')
    expect(sent()).toBe(1)
  })

  test.each(['has no head start', 'was begun by another process'])(
    'is left to the workflow when it %s',
    async (why) => {
      const { run, request, sent } = await activitiesForTest({ outcome }, { isLocal: true })
      const headStart = why === 'has no head start' ? {} : { headStart: 'of another process' }
      const opened = await run('openAction', { ...request, ...headStart })
      expect(opened).toMatchObject({ deployment: { standing: 'waiting' }, steps: [] })
      expect(opened).not.toHaveProperty('report')
      expect(sent()).toBe(0)
    },
  )

  test('is still the first report when it had to wait in line', async () => {
    const { run, request, step, headStarts, vercel } = await activitiesForTest(
      { outcome },
      { isLocal: true },
    )
    vercel.dials.failNext.push({
      match: { kind: 'patch' },
      answer: { status: 429, headers: { 'retry-after': '60' } },
    })
    const headStart = headStarts.begin(request)
    const inLine = { kind: 'in-line', mayHaveBeenTaken: false, isFirstToCome: true }
    expect(await run('openAction', { ...request, headStart })).toMatchObject({ report: inLine })
    expect(await run('reportSucceeded', { ...step, headStart })).toMatchObject(inLine)
  })

  test('tells the workflow when Vercel may have the outcome, and fails for good with one that is none', async () => {
    const { run, request, headStarts, vercel } = await activitiesForTest(
      { outcome },
      { isLocal: true },
    )
    vercel.dials.failNext.push({ match: { kind: 'patch' }, answer: 'cut-after' })
    const headStart = headStarts.begin(request)
    expect(await run('openAction', { ...request, headStart })).toMatchObject({
      report: { kind: 'again', mayHaveBeenTaken: true },
    })

    const wrong = await activitiesForTest({ outcome: () => Promise.resolve({ TZ: 'UTC' }) })
    const begun = { ...wrong.request, headStart: wrong.headStarts.begin(wrong.request) }
    expect(await failureOf(wrong.run('openAction', begun))).toMatchObject({
      type: 'outcome_invalid',
      nonRetryable: true,
    })
  })

  test('is not reported when the deployment does not wait', async () => {
    const { run, request, headStarts, vercel, sent } = await activitiesForTest({ outcome })
    vercel.cancel(request.key.deploymentId)
    const headStart = headStarts.begin(request)
    expect(await run('openAction', { ...request, headStart })).not.toHaveProperty('report')
    expect(sent()).toBe(0)
  })
})

describe('a deployment that the action’s policy does not admit', () => {
  const steps = {
    provision: () => Promise.resolve(),
    outcome: () => Promise.reject(new Error('nothing was made')),
    deprovision: () => Promise.resolve(),
  }
  const bot = { creator: 'dependabot[bot]' }
  const skips = { ...steps, policy: { bots: 'skip' as const } }

  test('is opened without steps, and reported at once by the process that began it, without variables', async () => {
    const { run, request, headStarts, vercel, taken } = await activitiesForTest(skips, {
      isLocal: true,
      deploy: bot,
    })
    const opened = await run('openAction', {
      ...request,
      headStart: headStarts.begin(request),
    })
    expect(opened).toMatchObject({
      steps: [],
      skipped: expect.stringMatching(/"dependabot\[bot\]" looks like a bot/),
      report: { kind: 'taken' },
    })
    expect(taken()).toEqual(['succeeded'])
    expect(vercel.deployment(request.key.deploymentId).actions[0]?.statusText).toBe(opened.skipped)
  })

  test('is left to the workflow to be reported where nobody knows whether it was', async () => {
    const { run, request, step, sent, taken } = await activitiesForTest(skips, { deploy: bot })
    const opened = await run('openAction', request)
    expect(opened).not.toHaveProperty('report')
    expect(sent()).toBe(0)
    const { skipped } = opened as { skipped: string }
    expect(await run('reportSucceeded', { ...step, skipped })).toMatchObject({ kind: 'taken' })
    expect(taken()).toEqual(['succeeded'])
  })

  test('fails for good where the policy says so, and why', async () => {
    const { run, request, sent } = await activitiesForTest(
      { ...steps, policy: { bots: 'fail' } },
      { deploy: bot },
    )
    expect(await failureOf(run('openAction', request))).toMatchObject({
      type: 'policy_refused',
      nonRetryable: true,
      message: expect.stringMatching(/looks like a bot.*the action fails/),
    })
    expect(sent()).toBe(0)
  })

  test('is worked for all the same when an earlier run was admitted', async () => {
    const { run, request } = await activitiesForTest(
      { ...steps, policy: { bots: 'fail' } },
      { deploy: bot },
    )
    expect(await run('openAction', { ...request, resumed: true })).toMatchObject({
      steps: ['provision'],
    })
  })

  test('does not fail and is not told of when it does not wait', async () => {
    const { run, request, vercel } = await activitiesForTest(
      { ...steps, policy: { bots: 'fail' } },
      { deploy: bot },
    )
    vercel.cancel(request.key.deploymentId)
    expect(await run('openAction', request)).toMatchObject({
      deployment: { standing: 'canceled' },
    })
  })
})

describe('what a deployment is admitted by', () => {
  const policy = {
    environments: ['preview'],
    gitBranches: { except: ['wip/**'] },
    bots: 'skip',
    forks: 'skip',
  } as const
  test.each<[string, DeployOptions, 'admitted' | 'skipped']>([
    ['a push of a developer', {}, 'admitted'],
    ['a pull request of the same repository', { meta: { githubPrId: '7' } }, 'admitted'],
    ['a git branch that is left out', { gitBranch: 'wip/x' }, 'skipped'],
    ['a commit of a bot', { meta: { githubCommitAuthorLogin: 'renovate[bot]' } }, 'skipped'],
    [
      'a pull request from a fork',
      { meta: { githubCommitOrg: 'eve', githubPrId: '7' } },
      'skipped',
    ],
    [
      'a pull request of which the repositories are not known',
      { meta: { githubOrg: '', githubPrId: '7' } },
      'skipped',
    ],
  ])('is read of Vercel: %s is %s', async (_, deploy, end) => {
    const { run, request } = await activitiesForTest(
      { policy, provision: () => Promise.resolve() },
      { deploy },
    )
    const opened = await run('openAction', request)
    expect(opened.steps).toEqual(end === 'admitted' ? ['provision'] : [])
  })
})

test.each([undefined, {}])(
  'who deployed and whose commit it is enters no history, with the policy %j',
  async (policy) => {
    const { run, request } = await activitiesForTest(
      { provision: () => Promise.resolve(), policy },
      { deploy: { creator: 'grace-hopper', meta: { githubCommitAuthorName: 'Grace Hopper' } } },
    )
    expect(JSON.stringify(await run('openAction', request))).not.toMatch(/grace/i)
  },
)

test('an action with steps is opened without a report, and its first report is still the first', async () => {
  const { run, request, headStarts, sent } = await activitiesForTest({
    provision: () => Promise.resolve(),
  })
  const headStart = headStarts.begin(request)
  expect(await run('openAction', { ...request, headStart })).not.toHaveProperty('report')
  expect(sent()).toBe(0)
  expect(headStarts.takeFirstReport(headStart)).toBe(true)
})
