import { randomUUID } from 'node:crypto'
import type { Client } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { NativeConnection } from '@temporalio/worker'
import { onTestFinished } from 'vitest'
import { createActivities } from '../../activities/index.ts'
import { actionRuns } from '../../src/cli/action-runs.ts'
import { resourceDoor } from '../../src/cli/resource-door.ts'
import { defineConfig } from '../../src/config/define-config.ts'
import { secretDeriver } from '../../src/config/derive-secret.ts'
import type { ResourceKey } from '../../src/domain/resource-key.ts'
import { Secret } from '../../src/domain/secret.ts'
import { memoryStore } from '../../src/installations/memory-store.ts'
import { silentLog } from '../../src/log.ts'
import { cancelRun, confirmAttempt } from '../../src/temporal/ask-temporal.ts'
import { createWorker } from '../../src/temporal/worker.ts'
import { dispatchForTest } from '../dispatch/dispatch-for-test.ts'
import type { TemporalEnvironment } from '../servers/temporal-environment.ts'
import { json, smallServer } from '../vercel/small-server.ts'
import { branchAction, branchProvider } from './branch-provider.ts'
import { cloud, databaseProduct } from './database-product.ts'

const HOLDPOINT = 'holdpoint for tests'

/**
 * The real workflows and activities of resources, with a provider of databases and one of branches in memory, an
 * installation store, and a Vercel that takes what it is told or answers with the statuses of `refusals` first. Ends
 * with the test.
 */
export async function resourcesUnderTest(
  environment: TemporalEnvironment,
  {
    deadline,
    answerWithinMs = 10_000,
    workerAddress,
  }: {
    readonly deadline?: string
    readonly answerWithinMs?: number
    /** Where the worker finds Temporal, if not where all others do. */
    readonly workerAddress?: string
  } = {},
) {
  const taskQueue = `${environment.taskQueue}-${randomUUID().slice(0, 8)}`
  const { client } = environment
  const databases = cloud()
  const branches = branchProvider()
  const store = memoryStore()
  const installationId = `icfg_${randomUUID().slice(0, 8)}`
  await store.putInstallation(
    { id: installationId, scopes: [], acceptedPolicies: {}, state: 'active' },
    new Secret('token'),
  )
  const config = defineConfig({
    temporal: { taskQueue },
    actions: { branch: branchAction(branches) },
    products: { database: databaseProduct(databases, { ...(deadline && { deadline }) }) },
  })
  const refusals: number[] = []
  const attempts: ('wanted' | 'given up')[] = []
  const vercel = await smallServer((response, request) =>
    json(refusals.shift() ?? 200, {})(response, request),
  )
  const deriveSecrets = secretDeriver(['key'])
  const dispatch = dispatchForTest({ client, taskQueue }, { installations: store })
  const activities = createActivities({
    actions: config.actions,
    checks: config.checks,
    products: config.products,
    vercel: vercel.connection,
    holdpoint: HOLDPOINT,
    deriveSecrets,
    log: silentLog,
    confirmAttempt: (taskToken) =>
      confirmAttempt(client, taskToken).then(
        () => void attempts.push('wanted'),
        (error: unknown) => {
          attempts.push('given up')
          throw error
        },
      ),
    cancelRun: (run) => cancelRun(client, run),
    runs: actionRuns(client, dispatch),
    installations: store,
  })

  async function startWorker(connection: NativeConnection = environment.nativeConnection) {
    const worker = await createWorker(
      { connection, namespace: environment.namespace },
      { taskQueue, workflowBundle: environment.workflowBundle, dataConverter: {}, activities },
    )
    const stopped = worker.run().catch(() => {})
    return async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await stopped
    }
  }
  const first =
    workerAddress === undefined
      ? await startWorker()
      : await startWorker(await NativeConnection.connect({ address: workerAddress }))
  // One that was cut off does not come to its end.
  onTestFinished(workerAddress === undefined ? first : () => void first())

  return {
    store,
    installationId,
    databases,
    branches,
    dispatch,
    taskQueue,
    /** What Temporal said of each try that asked whether it is still wanted. */
    attempts,
    /** Statuses that Vercel answers next, before it takes what it is told. */
    refusals,
    /** What Vercel was told, as it was sent. */
    told: () =>
      vercel.received.map(({ method, target, body }) => ({
        method,
        target,
        body: JSON.parse(body) as Record<string, unknown>,
      })),
    door: resourceDoor({
      products: config.products,
      store,
      dispatch: () => dispatch,
      holdpoint: HOLDPOINT,
      deriveSecrets,
      log: silentLog,
      answerWithinMs,
    }),
    /** Another worker, which takes over what the first one does not do. */
    async startAnotherWorker() {
      onTestFinished(await startWorker())
    },
    /** Stores a resource that is still to be provisioned. */
    async wanted(): Promise<ResourceKey> {
      const resourceId = `hpr_${randomUUID().slice(0, 8)}`
      await store.putResource({
        id: resourceId,
        installationId,
        productId: 'database',
        name: 'My database',
        metadata: { region: 'fra1' },
        billingPlanId: 'pro',
        status: 'pending',
      })
      return { installationId, resourceId }
    },
    /** Puts a branch at the provider that no run of this test made. */
    placeBranch(name: string, owner: { installationId: string; resourceId: string }, dpl = name) {
      const key = { ...owner, deploymentId: dpl, action: 'branch' }
      branches.branches.add(name)
      branches.listed.set(name, { name, complete: true, holdpoint: HOLDPOINT, owner: key })
      return key
    },
    /** What the resource's current login is, in clear. */
    password: ({ resourceId }: ResourceKey, generation: number) =>
      deriveSecrets(`${resourceId} ${generation}`)[0].reveal(),
  }
}

export type ResourcesUnderTest = Awaited<ReturnType<typeof resourcesUnderTest>>

/** All that Temporal keeps of a run, with its payloads readable. */
export async function readableHistory(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<string> {
  const text = historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory())
  return text.replaceAll(/"data": "([A-Za-z0-9+/=]+)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString(),
  )
}
