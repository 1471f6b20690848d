import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { postgres } from '../../src/index.ts'
import type { DeploymentSnapshot, DeployOptions, Project } from '../../src/simulator/index.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { RECONCILIATION, type Reconciliation } from '../../workflows/messages.ts'
import { remainsOf, sql } from '../drivers/postgres-under-test.ts'
import {
  eventually,
  type HoldpointSettings,
  type HoldpointUnderTest,
  OF_THE_RESOURCE,
  startHoldpoint,
} from './holdpoint-under-test.ts'

const products = (url = '') => sql(url, 'SELECT count(*)::int FROM products')
const over = ({ readyState }: DeploymentSnapshot) =>
  readyState === 'READY' || readyState === 'ERROR'

/** A Holdpoint whose action has the policy, and a project whose builds have a database without it. */
async function holdpointWith(settings: HoldpointSettings) {
  const holdpoint = await startHoldpoint(settings)
  onTestFinished(() => holdpoint.close())
  const { vercel, source } = holdpoint
  const project = vercel.createProject({
    name: 'shop',
    resources: [
      {
        resourceId: source.name,
        actions: { branch: { environments: ['preview', 'production'] } },
      },
    ],
    env: {
      preview: { DATABASE_URL: OF_THE_RESOURCE },
      production: { DATABASE_URL: OF_THE_RESOURCE },
    },
  })
  return { holdpoint, vercel, project }
}

/** Deploys, and waits until the deployment is ready or has failed. */
const deployed = (holdpoint: HoldpointUnderTest, project: Project, options: DeployOptions = {}) =>
  holdpoint.vercel.until(holdpoint.deploy(project, options).id, over)

test('a policy says for whom the action works: the rest gets the resource’s own database, or no build', async () => {
  const { holdpoint, project } = await holdpointWith({
    policy: {
      environments: ['preview'],
      gitBranches: { except: ['docs/**'] },
      bots: 'skip',
      forks: 'fail',
    },
  })
  const ours = await deployed(holdpoint, project)
  expect(await products(ours.env['DATABASE_URL'])).toEqual([{ count: 3 }])

  for (const [options, why] of [
    [{ gitBranch: 'docs/readme' }, /"docs\/readme"/],
    [{ creator: 'dependabot[bot]', gitBranch: 'dependabot/npm/x' }, /"dependabot\[bot\]".*a bot/],
    [{ environment: 'production', gitBranch: 'main' }, /for preview only.*"production"/],
  ] as const) {
    const skipped = await deployed(holdpoint, project, options)
    expect(skipped).toMatchObject({
      readyState: 'READY',
      env: { DATABASE_URL: OF_THE_RESOURCE },
      actions: [{ status: 'succeeded', statusText: expect.stringMatching(why) }],
    })
    expect(await holdpoint.left(skipped)).toEqual([])
    expect(await holdpoint.ended(skipped)).toMatchObject({ phase: 'skipped' })
  }

  const fork = await deployed(holdpoint, project, {
    meta: { githubCommitOrg: 'eve', githubPrId: '7' },
  })
  expect(fork).toMatchObject({
    readyState: 'ERROR',
    actions: [{ status: 'failed', statusText: expect.stringMatching(/\("eve\/shop"\).*push/) }],
  })
  expect(await holdpoint.left(fork)).toEqual([])
})

describe('a quota', () => {
  test('is exact, however many begin at the same moment', async () => {
    const { holdpoint, project, vercel } = await holdpointWith({
      policy: { quota: { perResource: 2 } },
    })
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => deployed(holdpoint, project)))
    const ready = all.filter(({ readyState }) => readyState === 'READY')
    const failed = all.filter(({ readyState }) => readyState === 'ERROR')
    expect(ready).toHaveLength(2)
    for (const { env } of ready) expect(await products(env['DATABASE_URL'])).toEqual([{ count: 3 }])
    for (const { actions } of failed)
      expect(actions[0]?.statusText).toMatch(/made 2 for the resource and may make 2.*delete/)

    const [first] = ready
    vercel.remove(first?.id ?? '')
    await holdpoint.ended({ id: first?.id ?? '' }, { after: 'cleanup' })
    expect(await deployed(holdpoint, project)).toMatchObject({ readyState: 'READY' })
  })

  test('that may evict takes what is merely kept for the next push, and nothing that is used', async () => {
    const { holdpoint, project, vercel } = await holdpointWith({
      scope: 'git-branch',
      policy: { quota: { perResource: 1, whenFull: 'evict' } },
    })
    onTestFinished(() => dropUnclaimed(holdpoint))
    const a = await deployed(holdpoint, project, { gitBranch: 'feature/a' })
    const refused = await deployed(holdpoint, project, { gitBranch: 'feature/b' })
    expect(refused).toMatchObject({
      readyState: 'ERROR',
      actions: [{ statusText: expect.stringContaining('made 1 for the resource and may make 1') }],
    })
    expect(await products(a.env['DATABASE_URL'])).toEqual([{ count: 3 }])
    // One more deployment of the same git branch makes nothing.
    const again = await deployed(holdpoint, project, { gitBranch: 'feature/a' })
    expect(again.env).toEqual(a.env)

    const databaseOfA = new URL(a.env['DATABASE_URL'] ?? '').pathname.slice(1)
    for (const { id } of [a, again]) {
      vercel.remove(id)
      await holdpoint.ended({ id }, { after: 'cleanup' })
    }
    expect(await remainsOf(holdpoint.postgresUrl, databaseOfA)).toContain('database')
    const b = await deployed(holdpoint, project, { gitBranch: 'feature/b' })
    expect(await products(b.env['DATABASE_URL'])).toEqual([{ count: 3 }])
    expect(await remainsOf(holdpoint.postgresUrl, databaseOfA)).toEqual([])
    vercel.remove(b.id)
    await holdpoint.ended(b, { after: 'cleanup' })
  })
})

test('a time to live takes back what a living deployment has, but not of a protected git branch', async () => {
  const { holdpoint, project, vercel } = await holdpointWith({ policy: { ttl: '1 second' } })
  const old = await deployed(holdpoint, project)
  const kept = await deployed(holdpoint, project, { gitBranch: 'main' })
  const production = await deployed(holdpoint, project, {
    environment: 'production',
    gitBranch: 'feature/x',
  })
  for (const deployment of [old, kept, production]) await holdpoint.ended(deployment)
  await eventually(async () => {
    const { acts } = await reconcile(holdpoint)
    expect(acts).toMatchObject([
      {
        verdict: 'destroy',
        object: { owner: { deploymentId: old.id } },
        because: 'Its time to live of 1 second is over.',
        result: { kind: 'done' },
      },
    ])
  })
  await eventually(async () => expect(await holdpoint.left(old)).toEqual([]))
  expect(vercel.deployment(old.id)).toMatchObject({ readyState: 'READY' })
  expect((await reconcile(holdpoint)).acts).toEqual([])
  for (const { env } of [kept, production])
    expect(await products(env['DATABASE_URL'])).toEqual([{ count: 3 }])
  vercel.remove(old.id)
  await holdpoint.ended(old, { after: 'cleanup' })
})

async function reconcile({ temporal }: HoldpointUnderTest) {
  const policy = { minAgeMs: 0, graceMs: 0, cap: 1000 }
  return await temporal.client.workflow.execute<Reconciliation>(RECONCILIATION, {
    workflowId: `reconcile-${randomUUID()}`,
    taskQueue: 'deployment-actions',
    args: [{ policy, apply: true, suspects: [] }],
  })
}

/** Destroys what would be kept for another hour. */
async function dropUnclaimed({ postgresUrl, vercel }: HoldpointUnderTest): Promise<void> {
  const driver = postgres({ server: postgresUrl })
  for (const { ref } of await driver.listBranches(driverCall()))
    if (ref.owner.installationId === vercel.installation.id && !('deploymentId' in ref.owner))
      await driver.sharing?.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall())
  await driver.close()
}
