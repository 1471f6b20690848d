import { randomUUID } from 'node:crypto'
import { createActivities, HeadStarts, readOpening } from '../../activities/index.ts'
import type { ActionDefinition } from '../../src/actions/define-action.ts'
import type { CheckDefinition } from '../../src/checks/define-check.ts'
import { actionRuns } from '../../src/cli/action-runs.ts'
import { checkSlugs } from '../../src/config/checks.ts'
import { defineConfig } from '../../src/config/define-config.ts'
import { secretDeriver } from '../../src/config/derive-secret.ts'
import { type Dispatch, dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import type { ActionKey } from '../../src/domain/action-key.ts'
import type { InstallationStore } from '../../src/installations/store.ts'
import { silentLog } from '../../src/log.ts'
import { createApp } from '../../src/server/app.ts'
import { listen } from '../../src/server/listen.ts'
import {
  type CheckRunSnapshot,
  type DeploymentSnapshot,
  type Project,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../src/simulator/index.ts'
import { cancelRun, confirmAttempt } from '../../src/temporal/ask-temporal.ts'
import { createWorker } from '../../src/temporal/worker.ts'
import type { TemporalEnvironment } from '../servers/temporal-environment.ts'
import { type RunEnd, runEnd } from './run-end.ts'

export interface HeldBuilds {
  readonly vercel: Simulator
  readonly project: Project
  readonly taskQueue: string
  /** What Holdpoint sends to Vercel; a test may change it. */
  readonly vercelToken: { current: string }
  /** The key of a deployment's action. */
  keyOf(deployment: { readonly id: string }, action?: string): ActionKey
  /** Deploys a preview and answers it as it is at once. */
  deploy(): DeploymentSnapshot
  /** Resolves when the project has all checks. */
  checksRegistered(): Promise<void>
  /** Resolves with the deployment's check runs, when there are some and all are completed. */
  checked(deployment: { readonly id: string }): Promise<readonly CheckRunSnapshot[]>
  /**
   * Waits until a webhook of this kind was answered, then for the latest run of the action to close; time skips
   * meanwhile. Answers how it ended.
   */
  ended(
    deployment: { readonly id: string },
    options?: { readonly after?: 'start' | 'cancel' | 'cleanup'; readonly action?: string },
  ): Promise<RunEnd & { readonly message: string | undefined }>
  close(): Promise<void>
}

/** Runs the real workflows, activities and front door against a local Vercel, on the given Temporal server. */
export async function holdBuilds(
  environment: TemporalEnvironment,
  actions: Record<string, ActionDefinition>,
  {
    reportRunningAfterMs = 0,
    checks = {},
    local = {},
    installations,
  }: {
    reportRunningAfterMs?: number | null
    /** With some, Vercel has the product's checks switched on, with some of v1 the events of deployments; `checksRegistered` tells when they are there. */
    checks?: Record<string, CheckDefinition>
    local?: Partial<SimulatorOptions>
    installations?: InstallationStore
  } = {},
): Promise<HeldBuilds> {
  // A queue for each worker: the poll of one that was shut down may still swallow a task.
  const taskQueue = `${environment.taskQueue}-${randomUUID().slice(0, 8)}`
  const config = defineConfig({ temporal: { taskQueue }, actions, checks })
  const registered = checkSlugs(config.checks, 'v2').length
  const deploymentChecks = checkSlugs(config.checks, 'v1')
  const { client } = environment
  const vercel = await startSimulator({
    clientSecret: 'client-secret',
    accessToken: 'token',
    product: {
      id: 'product',
      name: 'Product',
      actions: [...Object.keys(actions), 'undeclared'].map((slug) => ({ slug, name: slug })),
      checks: registered > 0,
      deploymentEvents: deploymentChecks.length > 0,
    },
    retry: { baseMs: 20 },
    ...local,
  })
  const vercelToken = { current: 'token' }
  const connection = {
    baseUrl: vercel.url,
    accessToken: () => Promise.resolve(vercelToken.current),
    timeoutMs: 5000,
  }
  const headStarts = new HeadStarts((request) =>
    readOpening({ products: new Map(), actions: config.actions, vercel: connection }, request),
  )
  const dispatch: Dispatch = {
    workflows: client.workflow,
    taskQueue,
    deadlineMs: (slug) => config.actions.get(slug)?.deadlineMs ?? 60_000,
    reportRunningAfterMs,
    headStarts,
    registersChecks: registered > 0,
    deploymentChecks,
    acceptWithinMs: 5000,
  }
  const door = await listen(
    createApp({
      secrets: ['client-secret'],
      log: silentLog,
      unready: () => Promise.resolve(undefined),
      accept: (event) => dispatchEvent(dispatch, event),
    }),
    { host: '127.0.0.1', port: 0 },
  )
  vercel.webhookUrl = `${door.url}/webhooks/vercel`
  const worker = await createWorker(
    { connection: environment.nativeConnection, namespace: environment.namespace },
    {
      taskQueue,
      workflowBundle: environment.workflowBundle,
      dataConverter: {},
      activities: createActivities({
        actions: config.actions,
        checks: config.checks,
        products: config.products,
        vercel: connection,
        headStarts,
        holdpoint: 'holdpoint for tests',
        deriveSecrets: secretDeriver(['key']),
        log: silentLog,
        confirmAttempt: (taskToken) => confirmAttempt(client, taskToken),
        cancelRun: (run) => cancelRun(client, run),
        runs: actionRuns(client, dispatch),
        ...(installations && { installations }),
      }),
    },
  )
  const stopped = worker.run()
  const [slug = 'branch'] = Object.keys(actions)
  const project = vercel.createProject({
    name: 'storefront',
    resources: [{ resourceId: 'db/42 %', actions: { [slug]: { environments: ['preview'] } } }],
  })
  const keyOf = ({ id }: { id: string }, action = slug): ActionKey => ({
    installationId: vercel.installation.id,
    resourceId: 'db/42 %',
    deploymentId: id,
    action,
  })
  return {
    vercel,
    project,
    taskQueue,
    vercelToken,
    keyOf,
    deploy: () => vercel.deploy(project, { environment: 'preview', gitBranch: 'feature/x' }),
    async checksRegistered() {
      if (project.checks.length >= registered) return
      await vercel.untilEvent(() => project.checks.length >= registered, {
        description: 'all checks are registered',
      })
    },
    async checked({ id }) {
      const { checkRuns } = await vercel.until(
        id,
        ({ checkRuns }) =>
          checkRuns.length > 0 && checkRuns.every(({ status }) => status === 'completed'),
        { description: 'all check runs are completed' },
      )
      return checkRuns
    },
    async ended(deployment, { after = 'start', action = slug } = {}) {
      const { end, message } = await runEnd({ vercel, client }, keyOf(deployment, action), after)
      return { ...end, message }
    },
    async close() {
      await vercel.close()
      await door.close()
      worker.shutdown()
      await stopped
      for (const { definition } of config.actions.values()) await definition.driver?.close()
    },
  }
}
