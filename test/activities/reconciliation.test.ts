import { describe, expect, test } from 'vitest'
import type { ActionPolicy } from '../../src/actions/action-policy.ts'
import type { ActRequest } from '../../activities/reconciliation.ts'
import type { Act } from '../../src/domain/reconciliation-run.ts'
import type { LatestRun } from '../../src/domain/reconciliation.ts'
import type { DeployOptions, Dials } from '../../src/simulator/index.ts'
import { activitiesForTest } from './activities-for-test.ts'

const policy = { minAgeMs: 0, graceMs: 0, cap: 1 }
const HOLDPOINT = 'holdpoint for tests'

/** Has the act done that a survey asked for, for a deployment that is held by now. */
async function act(verdict: Act, { latest = 'none' }: { latest?: LatestRun } = {}) {
  const { run, key, acts, vercel } = await activitiesForTest({}, { latest })
  const object = { name: 'b', owner: key, sinceMs: 1, complete: true, holdpoint: HOLDPOINT }
  const found = { action: 'branch', object, verdict, because: 'It was so.', failedBefore: false }
  return { acts, vercel, key, again: () => run('reconcile', { found, policy }) }
}

test('what a survey wanted destroyed is kept when its deployment is there again', async () => {
  const { again, acts } = await act('destroy', { latest: 'kept' })
  expect(await again()).toEqual({
    kind: 'changed',
    because: 'The deployment still waits, and the action is done.',
  })
  expect(acts).toEqual([])
})

test('what a survey wanted destroyed is not touched when a run has begun since', async () => {
  const { again, acts, vercel, key } = await act('destroy', { latest: 'open' })
  vercel.remove(key.deploymentId)
  expect(await again()).toMatchObject({ kind: 'changed' })
  expect(acts).toEqual([])
})

test('what a survey wanted resumed is not destroyed either when its deployment has gone since', async () => {
  const { again, acts, vercel, key } = await act('resume')
  vercel.remove(key.deploymentId)
  expect(await again()).toMatchObject({ kind: 'changed' })
  expect(acts).toEqual([])
})

test('what is still so is done', async () => {
  const resumed = await act('resume', { latest: 'broken' })
  expect(await resumed.again()).toEqual({ kind: 'done' })
  expect(resumed.acts).toEqual(['resume'])
  const removed = await act('destroy')
  removed.vercel.remove(removed.key.deploymentId)
  expect(await removed.again()).toEqual({ kind: 'done' })
  expect(removed.acts).toEqual(['withdraw'])
})

describe('what a time to live is over of', () => {
  const ttl = { ttl: '1 second' }
  const released = async (
    { policy: own, dials = {} }: { policy: ActionPolicy; dials?: Partial<Dials> },
    deploy: DeployOptions = {},
  ) => {
    const held = await activitiesForTest(
      { policy: own, list: () => Promise.resolve([object()]) },
      { latest: 'kept', deploy },
    )
    const object = () => ({
      name: 'b',
      owner: held.key,
      sinceMs: 1,
      complete: true,
      holdpoint: HOLDPOINT,
    })
    await held.run('reportSucceeded', held.step)
    await held.vercel.until(held.key.deploymentId, ({ readyState }) => readyState === 'READY')
    Object.assign(held.vercel.dials, dials)
    const survey = await held.run('survey', { action: 'branch', policy, suspects: [] })
    return { ...held, survey }
  }

  test('is destroyed although its deployment lives, looked at twice', async () => {
    const { survey, run, acts } = await released({ policy: ttl })
    const [found] = survey.cases
    expect(found).toMatchObject({
      verdict: 'destroy',
      because: 'Its time to live of 1 second is over.',
    })
    const act = { ...found, verdict: 'destroy' as const } as ActRequest['found']
    expect(await run('reconcile', { found: act, policy })).toEqual({ kind: 'done' })
    expect(acts).toEqual(['withdraw'])
  })

  test.each<[string, Parameters<typeof released>[0], DeployOptions, 'keep' | 'undecided']>([
    ['there is no time to live', { policy: {} }, {}, 'keep'],
    ['it is not over', { policy: { ttl: '300 years' } }, {}, 'keep'],
    ['its git branch is protected', { policy: ttl }, { gitBranch: 'main' }, 'keep'],
    [
      'the operator protects its git branch',
      { policy: { ...ttl, protectedBranches: ['feature/*'] } },
      {},
      'keep',
    ],
    ['it is for production', { policy: ttl }, { environment: 'production' }, 'keep'],
    [
      'Vercel does not show what it is for',
      { policy: ttl, dials: { deploymentShape: 'anonymous' } },
      {},
      'undecided',
    ],
  ])('is left alone when %s', async (_, settings, deploy, verdict) => {
    const { survey, acts } = await released(settings, deploy)
    expect(survey.counts).toMatchObject({ [verdict]: 1, destroy: 0 })
    expect(acts).toEqual([])
  })
})

test('what the provider no longer lets go is told as changed', async () => {
  const { run } = await activitiesForTest({ expire: () => Promise.resolve(false) })
  const object = { name: 'b', sinceMs: 1, expiresAtMs: 2, complete: true, holdpoint: HOLDPOINT }
  const found = { action: 'branch', object, because: 'Its time is over.', failedBefore: false }
  expect(await run('reconcile', { found: { ...found, verdict: 'expire' }, policy })).toEqual({
    kind: 'changed',
    because: 'The provider says that it is needed again.',
  })
})
