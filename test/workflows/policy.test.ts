import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ActionPolicy } from '../../src/actions/action-policy.ts'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import type { ActionEnd } from '../../src/domain/action-run.ts'
import type { Dials, FaultAnswer } from '../../src/simulator/index.ts'
import {
  timeSkippingEnvironment,
  type TemporalEnvironment,
} from '../servers/temporal-environment.ts'
import { branchAction, branchProvider } from './branch-provider.ts'
import { holdBuilds } from './hold-builds.ts'

let environment: TemporalEnvironment
beforeAll(async () => {
  environment = await timeSkippingEnvironment()
})
afterAll(() => environment.teardown())

/** A build of a git branch that the policy leaves out. */
async function leftOut(policy: ActionPolicy, dials: Partial<Dials> = {}) {
  const provider = branchProvider()
  const builds = await holdBuilds(
    environment,
    { branch: branchAction(provider, { policy: { gitBranches: { only: ['main'] }, ...policy } }) },
    { local: { dials } },
  )
  onTestFinished(() => builds.close())
  const { id } = builds.deploy()
  const end = await builds.ended({ id })
  const run = environment.client.workflow.getHandle(actionWorkflowId(builds.keyOf({ id })))
  return { id, end, provider, builds, run, vercel: builds.vercel }
}

describe('a deployment that is skipped', () => {
  test('is released without variables, nothing is made for it, and its run tells why', async () => {
    const { id, end, provider, vercel, run } = await leftOut({})
    expect(end).toMatchObject({ status: 'COMPLETED', phase: 'skipped' })
    expect((await run.result()) as ActionEnd).toEqual({
      phase: 'skipped',
      because: expect.stringContaining('"feature/x"'),
    })
    const { env, actions } = await vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(env).toEqual({})
    expect(actions[0]).toMatchObject({
      acceptedStatuses: ['succeeded'],
      statusText: expect.stringMatching(/"feature\/x".*the resource's own variables/),
    })
    expect(provider.calls).toEqual([])
    const { events } = await run.fetchHistory()
    expect(events?.filter(({ activityTaskScheduledEventAttributes: at }) => at)).toEqual([])
  })

  test.each<[string, Partial<Dials>]>([
    ['Vercel wants outcomes with every success', { outcomesRequired: true }],
    ['the answer is lost', { failNext: [lost('cut-after')] }],
    ['the report is lost', { failNext: [lost('cut-before')] }],
    [
      'the report is lost, and Vercel wants outcomes',
      { failNext: [lost('cut-before')], outcomesRequired: true },
    ],
    [
      'the answer is lost, and the repetition is a bad request',
      { failNext: [lost('cut-after')], updateAfterTerminal: 400 },
    ],
    ['Vercel is down for a while', { failNext: [{ answer: { status: 503 }, times: 4 }] }],
  ])('is released when %s', async (_, dials) => {
    const { id, end, provider, vercel } = await leftOut({}, dials)
    expect(end).toMatchObject({ status: 'COMPLETED', phase: 'skipped' })
    const { actions } = await vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(actions[0]).toMatchObject({ status: 'succeeded', terminalBodies: 1 })
    expect(provider.calls).toEqual([])
  })

  test('is cleaned up as any other, and there is nothing to clean up', async () => {
    const { id, builds, provider, vercel } = await leftOut({})
    vercel.remove(id)
    expect(await builds.ended({ id }, { after: 'cleanup' })).toMatchObject({
      type: 'compensation',
      status: 'COMPLETED',
      phase: 'cleaned',
    })
    expect(provider.branches.size).toBe(0)
  })
})

test('a deployment that is refused fails, with a text that says what to do, and nothing is made', async () => {
  const { id, end, provider, vercel } = await leftOut({ otherwise: 'fail' })
  expect(end).toMatchObject({ status: 'FAILED', phase: 'failed' })
  expect(vercel.deployment(id)).toMatchObject({
    readyState: 'ERROR',
    actions: [
      {
        acceptedStatuses: ['failed'],
        statusText: expect.stringMatching(/"feature\/x".*deploy another git branch/),
      },
    ],
  })
  expect(provider.calls).toEqual([])
})

test('a deployment that is admitted is worked for as without a policy', async () => {
  const { id, end, provider, vercel } = await leftOut({ gitBranches: { only: ['feature/*'] } })
  expect(end).toMatchObject({ status: 'COMPLETED', phase: 'succeeded' })
  expect(vercel.deployment(id).actions[0]?.acceptedStatuses).toEqual(['running', 'succeeded'])
  expect(provider.calls).toEqual(['create', 'create done', 'open', 'open done'])
})

function lost(answer: FaultAnswer) {
  return { match: { kind: 'patch', status: 'succeeded' }, answer } as const
}
