import { randomUUID } from 'node:crypto'
import { Client } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { actionDigest, actionWorkflowId } from '../../src/domain/action-key.ts'
import type { ProvisionedObject } from '../../src/actions/define-action.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import type { ReconciliationRequest } from '../../src/domain/reconciliation-run.ts'
import { silentLog } from '../../src/log.ts'
import {
  checkReconciliation,
  reconciliationScheduleId,
  rememberedSuspects,
  scheduleReconciliation,
} from '../../src/temporal/reconciliation-schedule.ts'
import { RECONCILIATION, type Reconciliation } from '../../workflows/messages.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { branchAction, type BranchProvider, branchProvider, holdStep } from './branch-provider.ts'
import { type HeldBuilds, holdBuilds } from './hold-builds.ts'

// On a real server, as the time-skipping one has no Schedules. Time does not pass here: objects are made old.

const HOUR = 3_600_000
const DAY = 24 * HOUR
const POLICY = { minAgeMs: HOUR, graceMs: 31 * DAY, cap: 20 }

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

/** Runs a reconciliation to its end, and every run that it began. */
async function reconcile(
  policy: Partial<typeof POLICY> = {},
  request: Partial<ReconciliationRequest> = {},
) {
  const workflowId = `reconcile-${randomUUID()}`
  const report = await environment.client.workflow.execute<Reconciliation>(RECONCILIATION, {
    workflowId,
    taskQueue: builds.taskQueue,
    args: [{ policy: { ...POLICY, ...policy }, apply: true, suspects: [], ...request }],
  })
  for (const { object, result } of report.acts)
    if (object.owner && result.kind === 'done')
      await latest(object.owner)
        .result()
        .catch(() => {})
  return {
    ...report,
    verdicts: report.cases.map(({ verdict }) => verdict),
    did: report.acts.map(({ verdict, result }) => `${verdict} ${result.kind}`),
  }
}

const latest = (key: Parameters<typeof actionWorkflowId>[0]) =>
  environment.client.workflow.getHandle(actionWorkflowId(key))

/** Changes what the provider tells of the deployment's branch. */
function relist(id: string, fields: Partial<ProvisionedObject>): void {
  const digest = actionDigest(builds.keyOf({ id }))
  const listed = provider.listed.get(digest)
  if (listed) provider.listed.set(digest, { ...listed, ...fields })
}

/** A released deployment whose branch has been there for two months. */
async function released(): Promise<string> {
  const { id } = builds.deploy()
  await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
  await builds.ended({ id })
  relist(id, { sinceMs: Date.now() - 60 * DAY })
  return id
}
const has = (id: string) => provider.has(builds.keyOf({ id }))
const drop = (...kinds: string[]) => {
  builds.vercel.dials.dropWebhooks = kinds.map((kind) => `deployment.integration.action.${kind}`)
}
/** The memory of a reconciliation that saw the deployment gone so long ago. */
const seenGone = (id: string, agoMs: number) => [
  { action: 'branch', digest: actionDigest(builds.keyOf({ id })), overSinceMs: Date.now() - agoMs },
]
/** A held build with a branch as old as that of a released one, of which Temporal knows nothing. */
function unknownToTemporal(): string {
  drop('start')
  const { id } = builds.deploy()
  const owner = builds.keyOf({ id })
  const name = actionDigest(owner)
  provider.branches.add(name)
  provider.listed.set(name, {
    name,
    owner,
    sinceMs: Date.now() - 60 * DAY,
    complete: true,
    holdpoint: 'holdpoint for tests',
  })
  return id
}

test('a build that lives is left alone, without a word', async () => {
  const id = await released()
  expect(await reconcile({ minAgeMs: 0, graceMs: 0, cap: 1000 })).toMatchObject({
    counts: { keep: 1, destroy: 0 },
    cases: [],
    acts: [],
    suspects: [],
  })
  expect(has(id)).toBe(true)
})

describe('a removed deployment whose cleanup was lost loses its branch with the end of its grace', () => {
  test.each(['not-found', 'gone'] as const)('read as %s', async (reading) => {
    const id = await released()
    drop('cleanup')
    builds.vercel.dials.removedDeployment = reading
    builds.vercel.remove(id)
    const first = await reconcile()
    expect(first).toMatchObject({ verdicts: ['wait'], acts: [], suspects: [{ action: 'branch' }] })
    const { suspects } = await reconcile({}, { suspects: seenGone(id, 31 * DAY - HOUR) })
    expect(suspects[0]?.overSinceMs).toBeLessThan(Date.now() - 30 * DAY)
    expect(has(id)).toBe(true)
    const last = await reconcile({}, { suspects: seenGone(id, 31 * DAY) })
    expect(last.did).toEqual(['destroy done'])
    expect(await builds.ended({ id })).toMatchObject({ type: 'compensation', phase: 'cleaned' })
    expect(has(id)).toBe(false)
    expect(await reconcile()).toMatchObject({ counts: { destroy: 0, keep: 0 }, suspects: [] })
  })

  test('read with the date of its deletion, which counts', async () => {
    const id = await released()
    drop('cleanup')
    builds.vercel.dials.removedDeployment = 'soft-deleted'
    builds.vercel.remove(id)
    expect(await reconcile({}, { suspects: seenGone(id, 99 * DAY) })).toMatchObject({
      verdicts: ['wait'],
      suspects: [],
    })
    builds.vercel.dials.deploymentOverrides = { deletedAt: Date.now() - 31 * DAY }
    expect((await reconcile()).did).toEqual(['destroy done'])
    expect(has(id)).toBe(false)
  })

  test('also when no history tells of it any more', async () => {
    const id = unknownToTemporal()
    drop('cleanup')
    builds.vercel.remove(id)
    expect((await reconcile({}, { suspects: seenGone(id, 31 * DAY) })).did).toEqual([
      'destroy done',
    ])
    expect(has(id)).toBe(false)
  })
})

test.each(['deleted-at-kept', 'deleted-at-null'] as const)(
  'a restored deployment keeps its branch (%s), and when it is removed again its grace begins anew',
  async (reading) => {
    const id = await released()
    drop('cleanup')
    builds.vercel.remove(id)
    builds.vercel.dials.restoredDeployment = reading
    builds.vercel.restore(id)
    const restored = await reconcile({ graceMs: 0 }, { suspects: seenGone(id, 60 * DAY) })
    expect(restored).toMatchObject({ counts: { keep: 1 }, suspects: [] })
    builds.vercel.remove(id)
    expect(await reconcile({}, { suspects: restored.suspects })).toMatchObject({
      verdicts: ['wait'],
    })
    expect(has(id)).toBe(true)
  },
)

test('a canceled deployment whose cancel was lost loses its branch after a day', async () => {
  const id = await released()
  drop('cancel')
  builds.vercel.cancel(id)
  expect(await reconcile()).toMatchObject({ verdicts: ['wait'], acts: [] })
  builds.vercel.dials.deploymentOverrides = { canceledAt: Date.now() - DAY }
  expect((await reconcile()).did).toEqual(['destroy done'])
  expect(has(id)).toBe(false)
})

describe('a token that sees nothing destroys nothing', () => {
  test('one that is refused', async () => {
    const id = await released()
    builds.vercelToken.current = 'a wrong one'
    expect(await reconcile({ graceMs: 0 }, { suspects: seenGone(id, 99 * DAY) })).toMatchObject({
      verdicts: ['undecided'],
      acts: [],
    })
    expect(has(id)).toBe(true)
  })

  test('one of another installation, to which every deployment looks gone', async () => {
    const id = await released()
    builds.vercelToken.current = builds.vercel.createInstallation().accessToken
    expect(await reconcile({ graceMs: 0 }, { suspects: seenGone(id, 99 * DAY) })).toMatchObject({
      verdicts: ['undecided'],
      acts: [],
      suspects: [{ action: 'branch' }],
    })
    expect(has(id)).toBe(true)
  })
})

test('what another Holdpoint made, or nobody tells who, is not touched', async () => {
  const ids = [await released(), await released()]
  drop('cleanup')
  for (const id of ids) builds.vercel.remove(id)
  relist(ids[0] ?? '', { holdpoint: 'another' })
  const digest = actionDigest(builds.keyOf({ id: ids[1] ?? '' }))
  const { holdpoint: _none, ...unmarked } = provider.listed.get(digest) as ProvisionedObject
  provider.listed.set(digest, unmarked)
  expect(await reconcile({ minAgeMs: 0, graceMs: 0 })).toMatchObject({
    counts: { foreign: 2, destroy: 0 },
    acts: [],
  })
  expect(ids.map(has)).toEqual([true, true])
})

test('what is young, or at work, is not touched', async () => {
  const young = await released()
  relist(young, { sinceMs: Date.now() - HOUR + 60_000 })
  drop('cleanup')
  builds.vercel.remove(young)
  drop('cancel', 'cleanup')
  const step = holdStep(provider, 'after', 'create')
  const { id: atWork } = builds.deploy()
  await step.reached
  relist(atWork, { sinceMs: Date.now() - 60 * DAY })
  builds.vercel.remove(atWork)
  expect(await reconcile({ graceMs: 0 })).toMatchObject({ counts: { keep: 2 }, acts: [] })
  expect(await reconcile({ graceMs: 0 }, { suspects: seenGone(atWork, 99 * DAY) })).toMatchObject({
    acts: [],
  })
  expect([young, atWork].map(has)).toEqual([true, true])
  step.release()
  await builds.ended({ id: atWork })
})

describe('a held build is resumed and released', () => {
  test('when an operator terminated its run, at any age', async () => {
    const step = holdStep(provider, 'after', 'create')
    const { id } = builds.deploy()
    await step.reached
    await latest(builds.keyOf({ id })).terminate('in the Web UI')
    step.release()
    expect((await reconcile()).did).toEqual(['resume done'])
    await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(await builds.ended({ id })).toMatchObject({
      type: 'deploymentAction',
      status: 'COMPLETED',
      phase: 'succeeded',
    })
    expect(has(id)).toBe(true)
  })

  test('when Temporal has no run of it, unless it is so young that one may be at work elsewhere', async () => {
    const id = unknownToTemporal()
    relist(id, { sinceMs: Date.now() - HOUR + 60_000 })
    expect((await reconcile()).acts).toEqual([])
    relist(id, { sinceMs: Date.now() - HOUR })
    expect((await reconcile()).did).toEqual(['resume done'])
    await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(has(id)).toBe(true)
  })

  test('and keeps what an earlier run may have reported, although it fails itself', async () => {
    builds.vercel.dials.failNext.push({
      match: { kind: 'patch', status: 'succeeded' },
      answer: 'no-answer',
      times: 100,
    })
    const { id } = builds.deploy()
    await builds.vercel.untilEvent(
      (event) => event.kind === 'request' && event.method === 'GET' && event.deploymentId === id,
    )
    await expect.poll(() => provider.calls).toContain('open done')
    await latest(builds.keyOf({ id })).terminate()
    builds.vercel.dials.failNext.length = 0
    builds.vercel.dials.failNext.push({
      match: { kind: 'patch', status: 'failed' },
      answer: { status: 409 },
      times: 100,
    })
    provider.before = (step) =>
      step === 'create'
        ? Promise.reject(new ActionFailure('quota', 'None is left.', { retryable: false }))
        : Promise.resolve()
    expect((await reconcile()).did).toEqual(['resume done'])
    expect(await builds.ended({ id })).toMatchObject({ status: 'FAILED', phase: 'failed' })
    relist(id, { sinceMs: Date.now() - 60 * DAY })
    expect(await reconcile({ minAgeMs: 0, graceMs: 0 })).toMatchObject({ acts: [] })
    expect(has(id)).toBe(true)
    // And goes with the deployment all the same.
    builds.vercel.cancel(id)
    await builds.ended({ id }, { after: 'cancel' })
    expect(has(id)).toBe(false)
  })
})

test('no more is done than the cap, and the rest is left for the next time', async () => {
  const ids = [await released(), await released(), await released()]
  drop('cancel')
  for (const id of ids) builds.vercel.cancel(id)
  const first = await reconcile({ graceMs: 0, cap: 2 })
  expect(first.did).toEqual(['destroy done', 'destroy done'])
  expect(first.counts.destroy).toBe(3)
  expect(provider.branches.size).toBe(1)
  expect((await reconcile({ graceMs: 0, cap: 2 })).did).toEqual(['destroy done'])
  expect(provider.branches.size).toBe(0)
})

test('a dry run changes nothing', async () => {
  const id = await released()
  drop('cancel')
  builds.vercel.cancel(id)
  const report = await reconcile({ graceMs: 0 }, { apply: false })
  expect(report).toMatchObject({ verdicts: ['destroy'], acts: [] })
  expect(has(id)).toBe(true)
  expect(await builds.ended({ id })).toMatchObject({ type: 'deploymentAction' })
})

test('what no deployment needs any more goes at its time, if the provider still agrees', async () => {
  const unclaimed = (name: string, expiresAtMs: number) => {
    provider.branches.add(name)
    const since = { sinceMs: Date.now() - DAY, complete: true, holdpoint: 'holdpoint for tests' }
    provider.listed.set(name, { name, expiresAtMs, ...since })
  }
  unclaimed('over', Date.now() - 1)
  unclaimed('not yet', Date.now() + HOUR)
  expect((await reconcile()).did).toEqual(['expire done'])
  expect([...provider.branches]).toEqual(['not yet'])
})

test('an action whose objects nobody can list stops no other, and forgets nothing', async () => {
  await builds.close()
  const broken = branchProvider()
  builds = await holdBuilds(environment, {
    branch: branchAction(provider),
    broken: {
      ...branchAction(broken),
      list: () => Promise.reject(new ActionFailure('down', 'It is down.', { retryable: false })),
    },
  })
  const id = await released()
  drop('cancel')
  builds.vercel.cancel(id)
  const suspects = [{ action: 'broken', digest: 'x', overSinceMs: 1 }]
  expect(await reconcile({ graceMs: 0 }, { suspects })).toMatchObject({
    did: ['destroy done'],
    unsurveyed: [{ action: 'broken', because: 'It is down.' }],
    suspects: [{ action: 'broken', overSinceMs: 1 }],
  })
  expect(has(id)).toBe(false)
})

describe('the Schedule', () => {
  const plan = (everyMs: number | undefined) => ({
    taskQueue: builds.taskQueue,
    reconciliation: { ...POLICY, everyMs },
  })
  const link = () => ({
    client: environment.client,
    connection: environment.nativeConnection,
    namespace: environment.namespace,
  })
  const schedule = () =>
    environment.client.schedule.getHandle(reconciliationScheduleId(builds.taskQueue))
  afterEach(() =>
    schedule()
      .delete()
      .catch(() => {}),
  )

  test('is created, brought up to date by the next start, and taken away where it is switched off', async () => {
    await scheduleReconciliation(link(), plan(15 * 60_000), silentLog)
    expect(await schedule().describe()).toMatchObject({
      spec: { intervals: [{ every: 15 * 60_000 }] },
      policies: { overlap: 'SKIP', catchupWindow: 60_000 },
      state: { paused: false },
    })
    await schedule().pause('by an operator')
    await scheduleReconciliation(link(), plan(30 * 60_000), silentLog)
    expect(await schedule().describe()).toMatchObject({
      spec: { intervals: [{ every: 30 * 60_000 }] },
      state: { paused: true, note: 'by an operator' },
    })
    await scheduleReconciliation(link(), plan(undefined), silentLog)
    await expect(schedule().describe()).rejects.toThrow()
    await scheduleReconciliation(link(), plan(undefined), silentLog)
  })

  test('that is not allowed stops nothing, and is told with what to do', async () => {
    const warnings: unknown[] = []
    const elsewhere = {
      ...link(),
      client: new Client({ connection: environment.nativeConnection, namespace: 'forbidden' }),
    }
    await scheduleReconciliation(elsewhere, plan(60_000), {
      ...silentLog,
      warn: (event, fields) => warnings.push([event, fields?.['message']]),
    })
    expect(warnings).toEqual([
      [
        'reconciliation.not_scheduled',
        expect.stringMatching(
          /could not be created.*is not looked for\. Give this client the right/,
        ),
      ],
    ])
  })

  test('is told by the doctor: missing, there, paused, switched off', async () => {
    const finding = (everyMs?: number) => checkReconciliation(link(), plan(everyMs))
    expect(await finding(60_000)).toMatchObject({
      level: 'warning',
      fix: expect.stringContaining('start a worker'),
    })
    await scheduleReconciliation(link(), plan(60_000), silentLog)
    expect(await finding(60_000)).toMatchObject({
      level: 'ok',
      message: 'scheduled every 1 minute',
    })
    await schedule().pause()
    expect(await finding(60_000)).toMatchObject({
      level: 'warning',
      fix: expect.stringContaining('--unpause'),
    })
    expect(await finding()).toMatchObject({ level: 'ok' })
  })

  test('fires, and each run goes on from what the one before remembered', async () => {
    const id = await released()
    drop('cleanup')
    builds.vercel.remove(id)
    await scheduleReconciliation(link(), plan(60 * 60_000), silentLog)
    const fire = async (count: number) => {
      await schedule().trigger('SKIP')
      await expect
        .poll(async () => (await schedule().describe()).info.recentActions.length)
        .toBe(count)
      const { info } = await schedule().describe()
      const { workflowId } = info.recentActions.at(-1)?.action.workflow ?? { workflowId: '' }
      return await environment.client.workflow.getHandle<Reconciliation>(workflowId).result()
    }
    const first = await fire(1)
    expect(first.suspects).toHaveLength(1)
    const second = await fire(2)
    expect(second.suspects).toEqual(first.suspects)
    await expect.poll(() => rememberedSuspects(link(), builds.taskQueue)).toEqual(first.suspects)
    expect(has(id)).toBe(true)
  })
})
