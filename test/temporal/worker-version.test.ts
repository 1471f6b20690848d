import type { WorkerDeploymentVersion } from '@temporalio/common'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Activities } from '../../activities/index.ts'
import { dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import { proveWorkflows } from '../../src/temporal/readiness.ts'
import { createWorker } from '../../src/temporal/worker.ts'
import { becomeFirstVersion } from '../../src/temporal/worker-version.ts'
import { dispatchForTest } from '../dispatch/dispatch-for-test.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { gate } from '../workflows/branch-provider.ts'

const deploymentName = 'holdpoint'
const one = { deploymentName, buildId: 'one' }
const two = { deploymentName, buildId: 'two' }

let environment: TemporalEnvironment
beforeAll(async () => {
  environment = await devServerEnvironment()
})
afterAll(() => environment.teardown())

/** Which version did which activity of which deployment. */
const done: string[] = []
const provisioned = gate()
const begun = gate()

/** A worker of this version, whose first action waits in its work until `provisioned` opens. */
async function startWorker(version: WorkerDeploymentVersion): Promise<void> {
  const note = (activity: string, { deploymentId }: ActionKey) =>
    void done.push(`${deploymentId} ${activity} ${version.buildId}`)
  const activities = {
    openAction: ({ key }: { key: ActionKey }) => ({
      deployment: { id: key.deploymentId, environment: 'preview', standing: 'waiting' },
      options: {},
      steps: ['provision'],
    }),
    async provision({ key }: { key: ActionKey }) {
      note('provision', key)
      begun.open()
      await provisioned.opened
    },
    reportSucceeded({ key }: { key: ActionKey }) {
      note('report', key)
      return { kind: 'taken', because: 'a test' }
    },
    deprovision: ({ key }: { key: ActionKey }) => note('undo', key),
  }
  const worker = await createWorker(
    { connection: environment.nativeConnection, namespace: environment.namespace },
    {
      taskQueue: environment.taskQueue,
      workflowBundle: environment.workflowBundle,
      dataConverter: {},
      activities: activities as unknown as Activities,
      version,
    },
  )
  const stopped = worker.run()
  onTestFinished(async () => {
    worker.shutdown()
    await stopped
  })
}

test('an action ends on the version it began with, and what comes later goes to the current one', async () => {
  const { client, namespace, taskQueue, nativeConnection: connection } = environment
  const link = { client, namespace, connection }
  const dispatch = (deploymentId: string, wish: 'run' | 'canceled') =>
    dispatchEvent(dispatchForTest({ client, taskQueue }), {
      kind: 'action',
      action: { key: keyOf(deploymentId), wish, deliveryId: 'delivery', occurredAt: 0 },
    })
  const keyOf = (deploymentId: string): ActionKey => ({
    installationId: 'icfg_1',
    resourceId: 'db',
    deploymentId,
    action: 'branch',
  })
  const end = (deploymentId: string) =>
    client.workflow.getHandle(actionWorkflowId(keyOf(deploymentId))).result()

  await startWorker(one)
  await expect
    .poll(() => becomeFirstVersion(link, one).then(() => 'current'), { timeout: 20_000 })
    .toBe('current')
  // Temporal tells of a poller a moment after it came; the service asks again too.
  const proved = (version: WorkerDeploymentVersion) =>
    vi.waitFor(() => proveWorkflows(link, taskQueue, version), { timeout: 20_000 })
  await proved(one)
  await dispatch('dpl_1', 'run')
  await begun.opened

  await startWorker(two)
  // It is ready before anything new goes to it, and does not make itself the current one.
  await proved(two)
  await becomeFirstVersion(link, two)
  await dispatch('dpl_2', 'run')
  await expect.poll(() => done).toContain('dpl_2 provision one')
  await connection.workflowService.setWorkerDeploymentCurrentVersion({ namespace, ...two })
  await dispatch('dpl_3', 'run')
  await expect.poll(() => done).toContain('dpl_3 provision two')

  provisioned.open()
  expect(await Promise.all([end('dpl_1'), end('dpl_2'), end('dpl_3')])).toMatchObject([
    { phase: 'succeeded' },
    { phase: 'succeeded' },
    { phase: 'succeeded' },
  ])
  expect(done.filter((entry) => entry.includes('report')).sort()).toEqual([
    'dpl_1 report one',
    'dpl_2 report one',
    'dpl_3 report two',
  ])
  await dispatch('dpl_1', 'canceled')
  await end('dpl_1')
  expect(done).toContain('dpl_1 undo two')
})
