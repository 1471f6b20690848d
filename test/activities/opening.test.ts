import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Secret } from '../../src/domain/secret.ts'
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

test('an action with steps is opened without a report, and its first report is still the first', async () => {
  const { run, request, headStarts, sent } = await activitiesForTest({
    provision: () => Promise.resolve(),
  })
  const headStart = headStarts.begin(request)
  expect(await run('openAction', { ...request, headStart })).not.toHaveProperty('report')
  expect(sent()).toBe(0)
  expect(headStarts.takeFirstReport(headStart)).toBe(true)
})
