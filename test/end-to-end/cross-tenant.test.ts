import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { checkRunWorkflowId } from '../../src/domain/check-run.ts'
import { removalWorkflowId } from '../../src/domain/installation-removal.ts'
import type { DeploymentSnapshot, RequestRecord } from '../../src/simulator/index.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import {
  type Customer,
  opens,
  type ProviderUnderTest,
  serverObjects,
  startProvider,
} from './provider-under-test.ts'

// Webhooks that are signed, and name what belongs to another installation. `partner/partner-app.test.ts` does the same
// for the routes.

let provider: ProviderUnderTest
let intruder: Customer
let victim: Customer
/** The victim's, released with a branch. */
let release: DeploymentSnapshot
/** The intruder's. */
let own: DeploymentSnapshot

beforeAll(async () => {
  provider = await startProvider()
  intruder = await provider.newCustomer()
  victim = await provider.newCustomer()
  release = await provider.releaseChecked(victim, 'feature/x')
  own = await provider.releaseChecked(intruder, 'feature/y')
})
afterAll(() => provider.close())

/** All that the victim has. */
async function possessions() {
  const { vercel } = provider.holdpoint
  const { installation, resource, project, url } = victim
  const store = provider.storeUrl
  return {
    objects: await serverObjects(),
    opens: [await opens(url), await opens(vercel.deployment(release.id).env['DATABASE_URL'])],
    orders: await sql(url, 'SELECT id FROM orders'),
    checks: project.checks.length,
    deployment: vercel.deployment(release.id),
    installation: await sql(
      store,
      `SELECT * FROM holdpoint.installations WHERE id = '${installation.id}'`,
    ),
    resource: await sql(store, `SELECT * FROM holdpoint.resources WHERE id = '${resource.id}'`),
  }
}

let before: Awaited<ReturnType<typeof possessions>>
beforeEach(async () => {
  before = await possessions()
})

const ids = () => ({
  installationId: intruder.installation.id,
  configuration: { id: intruder.installation.id },
  team: { id: intruder.installation.teamId },
})

/** Sends it as Vercel would, and waits until the run that it starts or meets has ended, however. */
async function deliver(
  type: string,
  payload: Record<string, unknown>,
  workflowId?: string,
): Promise<void> {
  const { vercel, temporal } = provider.holdpoint
  const { status } = await vercel.sendWebhook({ type, payload: { ...ids(), ...payload } })
  expect(status).toBe(200)
  if (workflowId === undefined) return
  const run = temporal.client.workflow.getHandle(workflowId)
  await run.result().catch(() => {})
  expect((await run.describe()).status.name).not.toBe('RUNNING')
}

/** The run of the action on these, of the intruder's installation. */
function runOf(resourceId: string, { id: deploymentId }: DeploymentSnapshot): string {
  const { id: installationId } = intruder.installation
  return actionWorkflowId({ installationId, resourceId, deploymentId, action: 'branch' })
}

const ACTION = 'deployment.integration.action'

test('a start of an action on another’s resource fails with its reason, and makes nothing', async () => {
  const resourceId = victim.resource.id
  const run = runOf(resourceId, own)
  const payload = { resourceId, action: 'branch', deployment: { id: own.id } }
  await deliver(`${ACTION}.start`, payload, run)
  const { client } = provider.holdpoint.temporal
  await expect(client.workflow.getHandle(run).result()).rejects.toMatchObject({
    cause: { message: expect.stringContaining('belongs to another installation') as string },
  })
  expect(await possessions()).toEqual(before)
})

test('a start for another’s deployment makes nothing', async () => {
  const resourceId = intruder.resource.id
  const payload = { resourceId, action: 'branch', deployment: { id: release.id } }
  await deliver(`${ACTION}.start`, payload, runOf(resourceId, release))
  expect(await possessions()).toEqual(before)
})

test.each(['cancel', 'cleanup'])(
  'a %s of another’s deployment and resource takes nothing away',
  async (kind) => {
    const deployment = { id: release.id }
    for (const resourceId of [victim.resource.id, intruder.resource.id])
      await deliver(
        `${ACTION}.${kind}`,
        { resourceId, action: 'branch', deployment },
        runOf(resourceId, release),
      )
    expect(await possessions()).toEqual(before)
  },
)

test.each(['start', 'cancel'])(
  'a %s of another’s check run changes nothing of it',
  async (kind) => {
    const [run] = release.checkRuns
    const key = {
      installationId: intruder.installation.id,
      deploymentId: release.id,
      checkRunId: run?.id ?? '',
    }
    const source = {
      kind: 'integration',
      integrationConfigurationId: intruder.installation.id,
      externalResourceId: victim.resource.id,
    }
    const checkId = victim.project.checks[0]?.id
    await deliver(
      `deployment.checkrun.${kind}`,
      {
        deployment: { id: release.id },
        checkRun: { id: run?.id, checkId, name: 'Reviews', deploymentId: release.id, source },
      },
      checkRunWorkflowId(key),
    )
    expect(await possessions()).toEqual(before)
  },
)

test('another’s project that is connected gets no check, for Vercel refuses the token', async () => {
  const { vercel } = provider.holdpoint
  const { id, name } = victim.project
  await deliver('integration-resource.project-connected', {
    resourceId: victim.resource.id,
    projectId: id,
    project: { id, name },
    targets: ['preview'],
  })
  const refused = await vercel.untilEvent(
    (event): event is RequestRecord =>
      event.kind === 'request' &&
      event.path.includes(`/projects/${id}/checks`) &&
      [403, 404].includes(event.status ?? 0),
  )
  expect(refused.method).toBe('GET')
  expect(await possessions()).toEqual(before)
})

test('an installation that changes hands takes nobody along', async () => {
  await deliver('integration-configuration.transferred', { newTeamId: victim.installation.teamId })
  expect(await possessions()).toEqual(before)
})

test('an installation that is removed takes its own, and nothing of another', async () => {
  const { id } = intruder.installation
  await deliver('integration-configuration.removed', {}, removalWorkflowId(id))
  const after = await possessions()
  const { objects, ...rest } = before
  expect(after).toMatchObject(rest)
  const gone = objects.filter((name) => !after.objects.includes(name))
  expect(gone.length).toBeGreaterThan(0)
  expect(gone.join()).not.toContain(victim.resource.id)
  expect(after.objects).toEqual(objects.filter((name) => !gone.includes(name)))
  provider.holdpoint.vercel.remove(own.id)
})
