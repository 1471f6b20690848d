import { randomBytes, randomUUID } from 'node:crypto'
import { Client } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { branchRef } from '../../src/domain/branch-ref.ts'
import type { ReconciliationPolicy } from '../../src/domain/reconciliation.ts'
import { dataConverter } from '../../src/temporal/data-converter.ts'
import { reconciliationScheduleId } from '../../src/temporal/reconciliation-schedule.ts'
import { RECONCILIATION, type Reconciliation } from '../../workflows/messages.ts'
import { remainsOf, sql } from '../drivers/postgres-under-test.ts'
import { devServerEnvironment } from '../servers/temporal-environment.ts'
import { eventually, type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

let holdpoint: HoldpointUnderTest

beforeAll(async () => {
  holdpoint = await startHoldpoint()
})
afterEach(() => holdpoint.resetVercel())
afterAll(() => holdpoint.close())

/** An operator who wants everything gone, now. */
const AT_ONCE: ReconciliationPolicy = { minAgeMs: 0, graceMs: 0, cap: 1000 }
const drop = (...kinds: string[]) => {
  holdpoint.vercel.dials.dropWebhooks = kinds.map((kind) => `deployment.integration.action.${kind}`)
}
const products = (url: string) => sql(url, 'SELECT count(*)::int FROM products')

/** Runs a reconciliation; answers what it thought and did of a deployment's branch. */
async function reconcile(
  policy: Partial<ReconciliationPolicy> = {},
  temporal = holdpoint.temporal,
) {
  const report = await temporal.client.workflow.execute<Reconciliation>(RECONCILIATION, {
    workflowId: `reconcile-${randomUUID()}`,
    taskQueue: 'deployment-actions',
    args: [{ policy: { ...AT_ONCE, ...policy }, apply: true, suspects: [] }],
  })
  return {
    ...report,
    of(deployment: { readonly id: string }): string {
      const { name } = branchRef(holdpoint.keyOf(deployment))
      const act = report.acts.find(({ object }) => object.name === name)
      const found = report.cases.find(({ object }) => object.name === name)
      return act ? `${act.verdict} ${act.result.kind}` : (found?.verdict ?? 'nothing')
    },
  }
}
const leavesNothing = (deployment: { readonly id: string }) =>
  eventually(async () => expect(await holdpoint.left(deployment)).toEqual([]))

describe('a removed deployment whose cleanup was lost leaves no database and no role', () => {
  test.each(['not-found', 'gone', 'soft-deleted'] as const)('read as %s', async (reading) => {
    const [lost, living] = await Promise.all([holdpoint.release(), holdpoint.release()])
    await Promise.all([holdpoint.ended(lost), holdpoint.ended(living)])
    drop('cleanup')
    holdpoint.vercel.dials.removedDeployment = reading
    holdpoint.vercel.remove(lost.id)
    const young = await reconcile({ minAgeMs: 3_600_000 })
    expect(young.acts).toEqual([])
    const inGrace = await reconcile({ graceMs: 3_600_000 })
    expect([inGrace.of(lost), inGrace.of(living)]).toEqual(['wait', 'nothing'])
    expect(await holdpoint.left(lost)).toEqual(['database', 'role'])
    const report = await reconcile()
    expect([report.of(lost), report.of(living)]).toEqual(['destroy done', 'nothing'])
    await leavesNothing(lost)
    expect(await products(living.env['DATABASE_URL'] ?? '')).toEqual([{ count: 3 }])
  })
})

test('a canceled deployment whose cancel was lost leaves no database and no role', async () => {
  const deployment = await holdpoint.release()
  await holdpoint.ended(deployment)
  drop('cancel')
  holdpoint.vercel.cancel(deployment.id)
  expect((await reconcile()).of(deployment)).toBe('destroy done')
  await leavesNothing(deployment)
})

test('a run that an operator terminated while the build is held is resumed, and the build released', async () => {
  const leave = await holdpoint.occupySource()
  const deployment = holdpoint.deploy()
  await holdpoint.untilBegun(deployment)
  const { workflow } = holdpoint.temporal.client
  await workflow.getHandle(actionWorkflowId(holdpoint.keyOf(deployment))).terminate()
  await leave()
  expect((await reconcile()).of(deployment)).toBe('resume done')
  const { env, actions } = await holdpoint.vercel.until(
    deployment.id,
    ({ readyState }) => readyState === 'READY',
  )
  expect(actions[0]).toMatchObject({ status: 'succeeded', terminalBodies: 1 })
  expect(await products(env['DATABASE_URL'] ?? '')).toEqual([{ count: 3 }])
})

test('what another Holdpoint made on the same Postgres is left to it', async () => {
  const deployment = await holdpoint.release()
  await holdpoint.ended(deployment)
  drop('cleanup')
  holdpoint.vercel.remove(deployment.id)
  await holdpoint.restart({ INTEGRATION_CLIENT_ID: 'oac_another' })
  const report = await reconcile()
  expect(report.acts).toEqual([])
  expect(report.counts.foreign).toBeGreaterThan(0)
  expect(await holdpoint.left(deployment)).toEqual(['database', 'role'])
  await holdpoint.restart()
  expect((await reconcile()).of(deployment)).toBe('destroy done')
  await leavesNothing(deployment)
})

test('with a wrong token, everything is kept', async () => {
  const deployment = await holdpoint.release()
  await holdpoint.ended(deployment)
  const { accessToken } = holdpoint.vercel.createInstallation()
  for (const token of ['no-token', accessToken]) {
    await holdpoint.restart({ VERCEL_ACCESS_TOKEN: token })
    const report = await reconcile()
    expect([report.of(deployment), report.acts]).toEqual(['undecided', []])
  }
  await holdpoint.restart()
  expect(await products(deployment.env['DATABASE_URL'] ?? '')).toEqual([{ count: 3 }])
})

test('with an empty Temporal what lives is kept, what is gone is destroyed, and what is held is released', async () => {
  const [living, removed] = await Promise.all([holdpoint.release(), holdpoint.release()])
  await Promise.all([holdpoint.ended(living), holdpoint.ended(removed)])
  const { failNext } = holdpoint.vercel.dials
  failNext.push({
    match: { kind: 'patch', status: 'succeeded' },
    answer: { status: 503 },
    times: 1000,
  })
  const held = holdpoint.deploy()
  await eventually(() => expect(failNext[0]?.times).toBeLessThan(1000))
  drop('cleanup')
  holdpoint.vercel.remove(removed.id)
  const empty = await devServerEnvironment()
  try {
    await holdpoint.restart({ TEMPORAL_NAMESPACE: empty.namespace })
    failNext.length = 0
    const report = await reconcile({}, empty)
    expect([living, removed, held].map((each) => report.of(each))).toEqual([
      'nothing',
      'destroy done',
      'resume done',
    ])
    const { env } = await holdpoint.vercel.until(
      held.id,
      ({ readyState }) => readyState === 'READY',
    )
    for (const url of [env['DATABASE_URL'], living.env['DATABASE_URL']])
      expect(await products(url ?? '')).toEqual([{ count: 3 }])
    await leavesNothing(removed)
  } finally {
    await holdpoint.restart()
    await empty.teardown()
  }
  // The run in the other namespace still asks; Vercel has the outcome, and it keeps the branch.
  expect(await holdpoint.ended(held)).toMatchObject({ phase: 'succeeded' })
})

test('the Schedule that a worker made fires again and again, with encrypted payloads too', async () => {
  const key = { id: 'k', bytes: randomBytes(32) }
  const HOLDPOINT_ENCRYPTION_KEYS = `k:${Buffer.from(key.bytes).toString('base64')}`
  await holdpoint.restart({ HOLDPOINT_ENCRYPTION_KEYS })
  const { client: plain, namespace } = holdpoint.temporal
  const client = new Client({
    connection: plain.connection,
    namespace,
    dataConverter: dataConverter([key]),
  })
  const schedule = client.schedule.getHandle(reconciliationScheduleId('deployment-actions'))
  const fired = async () => (await schedule.describe()).info.recentActions
  for (const time of ['first', 'with the memory of the first']) {
    const before = await fired()
    await schedule.trigger('SKIP')
    await eventually(async () => expect(await fired()).toHaveLength(before.length + 1))
    const { workflowId } = (await fired()).at(-1)?.action.workflow ?? { workflowId: '' }
    const report = await client.workflow.getHandle<Reconciliation>(workflowId).result()
    expect(report, time).toMatchObject({ acts: [], unsurveyed: [] })
  }
  await holdpoint.restart({ HOLDPOINT_ENCRYPTION_KEYS })
})

test('a branch that deployments share outlives the one whose cleanup was lost, and goes at its time after the last', async () => {
  const temporal = await devServerEnvironment()
  const shared = await startHoldpoint({ temporal, scope: 'git-branch', keepFor: '1 second' })
  try {
    const [lost, living] = [await shared.release(), await shared.release()]
    const database = new URL(living.env['DATABASE_URL'] ?? '').pathname.slice(1)
    for (const deployment of [lost, living]) await shared.ended(deployment)
    shared.vercel.dials.dropWebhooks = ['deployment.integration.action.cleanup']
    shared.vercel.remove(lost.id)
    expect((await reconcile({}, temporal)).acts).toMatchObject([
      { verdict: 'destroy', object: { name: database, owner: { deploymentId: lost.id } } },
    ])
    await eventually(async () =>
      expect((await reconcile({}, temporal)).counts).toMatchObject({ keep: 1, destroy: 0 }),
    )
    expect(await products(living.env['DATABASE_URL'] ?? '')).toEqual([{ count: 3 }])
    shared.resetVercel()
    shared.vercel.remove(living.id)
    await shared.ended(living, { after: 'cleanup' })
    expect(await remainsOf(shared.postgresUrl, database)).toContain('database')
    await eventually(async () =>
      expect((await reconcile({}, temporal)).acts).toMatchObject([
        { verdict: 'expire', object: { name: database }, result: { kind: 'done' } },
      ]),
    )
    expect(await remainsOf(shared.postgresUrl, database)).toEqual([])
  } finally {
    await shared.close()
  }
})
