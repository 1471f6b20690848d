import { ApplicationFailure, type Info } from '@temporalio/activity'
import type { Logger } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import {
  type Activities,
  createActivities,
  HeadStarts,
  readOpening,
} from '../../activities/index.ts'
import type { AnyAction } from '../../src/actions/define-action.ts'
import type { CheckDefinition } from '../../src/checks/define-check.ts'
import { defineConfig } from '../../src/config/define-config.ts'
import { secretDeriver } from '../../src/config/derive-secret.ts'
import type { ActionKey } from '../../src/domain/action-key.ts'
import type { ActionEnd } from '../../src/domain/action-run.ts'
import type { LatestRun } from '../../src/domain/reconciliation.ts'
import { jsonLog } from '../../src/log.ts'
import type { DeployOptions } from '../../src/simulator/index.ts'
import { createUpdatePace } from '../../src/vercel/update-pace.ts'
import { ACCESS_TOKEN, PRODUCT, vercelForTest } from '../simulator/vercel-for-test.ts'

/** The activities of one action, `branch`, with a local Vercel that holds a deployment for it. */
export async function activitiesForTest(
  action: Partial<AnyAction> = {},
  {
    options = {},
    attempt = 1,
    isLocal = false,
    latest = 'none',
    deploy = {},
    end = 'none',
    checks = {},
  }: {
    options?: Record<string, unknown>
    attempt?: number
    isLocal?: boolean
    latest?: LatestRun
    /** What is deployed, beyond a preview of `feature/x`. */
    deploy?: DeployOptions
    end?: ActionEnd | 'open' | 'none'
    checks?: Record<string, CheckDefinition>
  } = {},
) {
  const { vercel } = await vercelForTest({ product: { ...PRODUCT, checks: true } })
  const project = vercel.createProject({
    name: 'shop',
    resources: [
      {
        resourceId: 'db/1',
        actions: { branch: { environments: ['preview', 'production'], options } },
      },
    ],
  })
  const lines: string[] = []
  const acts: string[] = []
  const { actions, checks: declared } = defineConfig({
    actions: { branch: { name: 'Branch', ...action } },
    checks,
  })
  const connection = {
    baseUrl: vercel.url,
    timeoutMs: 500,
    accessToken: () => Promise.resolve(ACCESS_TOKEN),
    pace: createUpdatePace({ updates: 100, windowMs: 60_000 }),
  }
  const headStarts = new HeadStarts((request) =>
    readOpening({ products: new Map(), actions, vercel: connection }, request),
  )
  const activities = createActivities({
    actions,
    checks: declared,
    products: new Map(),
    vercel: connection,
    headStarts,
    holdpoint: 'holdpoint for tests',
    deriveSecrets: secretDeriver(['key']),
    confirmAttempt: () => Promise.resolve(),
    log: jsonLog((line) => lines.push(line)),
    cancelRun: () => Promise.resolve(),
    runs: {
      latest: () => Promise.resolve(latest),
      end: () => Promise.resolve(end),
      withdraw: () => Promise.resolve(void acts.push('withdraw')),
      withdrawOpen: () => Promise.resolve(0),
      removeBareResource: () => Promise.resolve(),
      resume: () => Promise.resolve(void acts.push('resume')),
    },
  })
  const { id } = vercel.deploy(project, { gitBranch: 'feature/x', ...deploy })
  const key: ActionKey = {
    installationId: vercel.installation.id,
    resourceId: 'db/1',
    deploymentId: id,
    action: 'branch',
  }
  const info: Partial<Info> = { attempt, isLocal }
  // It warns of each activity that fails, which here is as it should be.
  const environment = new MockActivityEnvironment(info, { logger: silentLogger })
  return {
    vercel,
    project,
    /** Runs one activity as Temporal would. */
    run: <Name extends keyof Activities>(
      name: Name,
      ...args: Parameters<Activities[Name]>
    ): ReturnType<Activities[Name]> => {
      const activity = activities[name] as (...args: unknown[]) => Promise<unknown>
      return environment.run(activity, ...args) as ReturnType<Activities[Name]>
    },
    key,
    connection,
    headStarts,
    request: { key, deadlineMs: 60_000, deadlineAt: Infinity, reportRunningAfterMs: 0 },
    step: {
      key,
      deployment: { id, environment: 'preview', standing: 'waiting' as const },
      options,
      reference: undefined,
      deadlineAt: Infinity,
      mayHaveBeenTaken: false,
    },
    /** What was done to runs: `withdraw`, `resume`. */
    acts,
    /** What was logged, as text. */
    logged: () => lines.join(''),
    environment,
    /** The statuses that Vercel has taken of the action, in their order. */
    taken: () => vercel.deployment(id).actions[0]?.acceptedStatuses,
    /** How many updates of the action were sent, whatever their answer. */
    sent: () =>
      vercel.records.filter((event) => event.kind === 'request' && event.method === 'PATCH').length,
  }
}

const nothing = () => {}
const silentLogger: Logger = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
}

/** The failure that the activity ends with, as Temporal keeps it. */
export async function failureOf(running: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ApplicationFailure) return error
  throw new Error(`no ApplicationFailure: ${String(error)}`)
}
