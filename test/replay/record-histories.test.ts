import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import proto from '@temporalio/proto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import type { ActionPolicy } from '../../src/actions/action-policy.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import type { CheckDefinition, CheckResult } from '../../src/checks/define-check.ts'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { checkRegistrationWorkflowId } from '../../src/domain/check-registration.ts'
import { checkRunWorkflowId } from '../../src/domain/check-run.ts'
import { deploymentCheckWorkflowId } from '../../src/domain/deployment-check.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import {
  branchAction,
  type BranchProvider,
  branchProvider,
  holdStep,
} from '../workflows/branch-provider.ts'
import { RECONCILIATION, type Reconciliation } from '../../workflows/messages.ts'
import { type HeldBuilds, holdBuilds } from '../workflows/hold-builds.ts'
import { withoutMachine } from './without-machine.ts'

// npm run record:histories
// Records the histories that `replay.test.ts` replays, one of each way a run can go, for the version that package.json
// names. Those of released versions stay as they are: runs of theirs may still be open.

const { EventType } = proto.temporal.api.enums.v1

const directory = join(import.meta.dirname, 'histories', packageJson.version)

let environment: TemporalEnvironment
beforeAll(async () => {
  environment = await devServerEnvironment()
  await mkdir(directory, { recursive: true })
})
afterAll(() => environment.teardown())

type Event = 'start' | 'cancel' | 'cleanup'
interface Story {
  /** Type, status and phase of the run that is recorded. */
  readonly end: string
  /** Answers with the deployment, and the event whose run is recorded; or with the id of another run that closed. */
  readonly play: (stage: Stage) => Promise<{ id: string; after?: Event } | { workflowId: string }>
  /** Whether the action also migrates and waits until it is ready. */
  readonly steps?: boolean
  readonly policy?: ActionPolicy
  /** A check of the branch, on previews and with their start. */
  readonly check?: CheckDefinition['run']
  /** A check of the branch for each preview, after the Checks API v1. */
  readonly deploymentCheck?: CheckDefinition['run']
}
interface Stage {
  readonly builds: HeldBuilds
  readonly provider: BranchProvider
}

const stories: Record<string, Story> = {
  succeeded: {
    end: 'deploymentAction COMPLETED without a phase',
    play: ({ builds }) => Promise.resolve(builds.deploy()),
  },

  'succeeded-with-migrate-and-ready': {
    end: 'deploymentAction COMPLETED without a phase',
    play: ({ builds }) => Promise.resolve(builds.deploy()),
    steps: true,
  },

  'canceled-while-migrating': {
    end: 'deploymentAction CANCELLED canceled',
    play: async ({ builds, provider }) => {
      const step = holdStep(provider, 'before', 'migrate')
      const { id } = builds.deploy()
      await step.reached
      builds.vercel.cancel(id)
      return { id, after: 'cancel' }
    },
    steps: true,
  },

  'failed-for-good': {
    end: 'deploymentAction FAILED failed',
    play: ({ builds, provider }) => {
      provider.after = fail('create', { retryable: false })
      return Promise.resolve(builds.deploy())
    },
  },

  'failed-after-retries-at-its-deadline': {
    end: 'deploymentAction FAILED failed',
    play: ({ builds, provider }) => {
      provider.before = fail('create', { retryable: true })
      return Promise.resolve(builds.deploy())
    },
  },

  'skipped-as-nothing-waits': {
    end: 'deploymentAction COMPLETED skipped',
    play: ({ builds }) => {
      builds.vercel.dials.deploymentOverrides = { integrations: { status: 'skipped' } }
      return Promise.resolve(builds.deploy())
    },
  },

  'skipped-by-its-policy': {
    end: 'deploymentAction COMPLETED skipped',
    play: ({ builds }) => Promise.resolve(builds.deploy()),
    policy: { gitBranches: { only: ['main'] } },
  },

  'refused-by-its-policy': {
    end: 'deploymentAction FAILED failed',
    play: ({ builds }) => Promise.resolve(builds.deploy()),
    policy: { gitBranches: { only: ['main'] }, otherwise: 'fail' },
  },

  'canceled-while-provisioning': {
    end: 'deploymentAction CANCELLED canceled',
    play: async ({ builds, provider }) => {
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      builds.vercel.cancel(id)
      return { id, after: 'cancel' }
    },
  },

  'cleaned-while-provisioning': {
    end: 'deploymentAction CANCELLED cleaned',
    play: async ({ builds, provider }) => {
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      builds.vercel.remove(id)
      return { id, after: 'cleanup' }
    },
  },

  'canceled-by-an-operator': {
    end: 'deploymentAction CANCELLED canceled',
    play: async ({ builds, provider }) => {
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      await environment.client.workflow.getHandle(actionWorkflowId(builds.keyOf({ id }))).cancel()
      return { id }
    },
  },

  'succeeded-after-waiting-in-line': {
    end: 'deploymentAction COMPLETED without a phase',
    play: ({ builds }) => {
      const answer = { status: 429, headers: { 'retry-after': '1' } }
      builds.vercel.dials.failNext.push({ match: SUCCEEDED, answer })
      return Promise.resolve(builds.deploy())
    },
  },

  'kept-after-a-lost-answer': {
    end: 'deploymentAction COMPLETED without a phase',
    play: ({ builds }) => {
      builds.vercel.dials.failNext.push({ match: SUCCEEDED, answer: 'cut-after' })
      return Promise.resolve(builds.deploy())
    },
  },

  'kept-though-it-vanished-for-a-moment': {
    end: 'deploymentAction COMPLETED without a phase',
    play: ({ builds, provider }) => {
      const { failNext } = builds.vercel.dials
      failNext.push({ match: SUCCEEDED, answer: 'cut-after' })
      provider.after = (step) => {
        // Once the deployment was read for the first time.
        if (step === 'create') failNext.push({ match: { kind: 'get' }, answer: { status: 404 } })
        return Promise.resolve()
      }
      return Promise.resolve(builds.deploy())
    },
  },

  reconciliation: {
    end: 'reconciliation COMPLETED without a phase',
    play: async ({ builds }) => {
      const { id } = builds.deploy()
      await builds.ended({ id })
      const workflowId = 'reconciliation'
      await environment.client.workflow.execute<Reconciliation>(RECONCILIATION, {
        workflowId,
        taskQueue: builds.taskQueue,
        args: [{ policy: { minAgeMs: 0, graceMs: 0, cap: 1 }, apply: true, suspects: [] }],
      })
      return { workflowId }
    },
  },

  'check-registration': {
    end: 'checkRegistration COMPLETED without a phase',
    play: async ({ builds }) => {
      const workflowId = checkRegistrationWorkflowId({
        installationId: builds.vercel.installation.id,
        resourceId: 'db/42 %',
        projectId: builds.project.id,
      })
      await environment.client.workflow.getHandle(workflowId).result()
      return { workflowId }
    },
    check: succeeds,
  },

  'check-after-an-action-at-work': {
    end: 'deploymentCheckRun COMPLETED without a phase',
    play: async ({ builds, provider }) => {
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      await untilAsked(builds, { id })
      step.release()
      return await checkRunOf(builds, { id })
    },
    check: succeeds,
  },

  'action-that-a-check-waited-for': {
    end: 'deploymentAction COMPLETED without a phase',
    play: async ({ builds, provider }) => {
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      await untilAsked(builds, { id })
      step.release()
      return { id }
    },
    check: succeeds,
  },

  'check-of-an-action-that-failed': {
    end: 'deploymentCheckRun COMPLETED failed',
    play: async ({ builds, provider }) => {
      provider.after = fail('create', { retryable: false })
      return await checkRunOf(builds, builds.deploy())
    },
    check: succeeds,
  },

  'check-canceled-while-it-is-run': {
    end: 'deploymentCheckRun COMPLETED canceled',
    play: async ({ builds }) => {
      builds.vercel.dials.cancelEndsCheckRun = false
      const { id } = builds.deploy()
      await builds.ended({ id })
      const [run] = builds.vercel.deployment(id).checkRuns
      builds.vercel.cancelCheckRun(id, run?.id ?? '')
      return await checkRunOf(builds, { id })
    },
    check: ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      ),
  },

  'check-canceled-before-its-start': {
    end: 'deploymentCheckRun COMPLETED canceled',
    play: async ({ builds }) => {
      builds.vercel.dials.cancelEndsCheckRun = false
      builds.vercel.dials.holdWebhooks = ['deployment.checkrun.start']
      const { id } = builds.deploy()
      const [run] = builds.vercel.deployment(id).checkRuns
      builds.vercel.cancelCheckRun(id, run?.id ?? '')
      return await checkRunOf(builds, { id })
    },
    check: succeeds,
  },

  'deployment-check': {
    end: 'deploymentCheck COMPLETED without a phase',
    play: async ({ builds, provider }) => {
      const { id, release } = await deployedWithCheck({ builds, provider })
      release()
      return await deploymentCheckOf(builds, { id })
    },
    deploymentCheck: succeeds,
  },

  'deployment-check-canceled-before-it-is-built': {
    end: 'deploymentCheck COMPLETED canceled',
    play: async ({ builds, provider }) => {
      const { id } = await deployedWithCheck({ builds, provider })
      builds.vercel.cancel(id)
      return await deploymentCheckOf(builds, { id })
    },
    deploymentCheck: succeeds,
  },

  'deployment-check-run-once-more': {
    end: 'deploymentCheck COMPLETED without a phase',
    play: async ({ builds, provider }) => {
      const { id, release } = await deployedWithCheck({ builds, provider })
      release()
      await deploymentCheckOf(builds, { id })
      const [check] = builds.vercel.deployment(id).checks
      builds.vercel.rerequestCheck(id, check?.id ?? '')
      await builds.vercel.until(id, ({ checks }) => checks[0]?.status === 'completed')
      return await deploymentCheckOf(builds, { id })
    },
    deploymentCheck: succeeds,
  },

  'refused-outright': {
    end: 'deploymentAction FAILED failed',
    play: ({ builds }) => {
      builds.vercel.dials.failNext.push({ match: SUCCEEDED, answer: { status: 400 }, times: 9 })
      return Promise.resolve(builds.deploy())
    },
  },

  'undone-as-the-deployment-lapsed': {
    end: 'deploymentAction CANCELLED canceled',
    play: async ({ builds, provider }) => {
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      builds.vercel.skip(id)
      step.release()
      return { id }
    },
  },

  'compensation-of-a-cancel': {
    end: 'compensation COMPLETED canceled',
    play: async ({ builds }) => {
      const { id } = builds.deploy()
      await builds.ended({ id })
      builds.vercel.cancel(id)
      return { id, after: 'cancel' }
    },
  },

  'compensation-of-a-cleanup': {
    end: 'compensation COMPLETED cleaned',
    play: async ({ builds }) => {
      const { id } = builds.deploy()
      await builds.ended({ id })
      builds.vercel.remove(id)
      return { id, after: 'cleanup' }
    },
  },

  tombstone: {
    end: 'compensation COMPLETED canceled',
    play: ({ builds }) => {
      builds.vercel.dials.holdWebhooks = ['deployment.integration.action.start']
      const { id } = builds.deploy()
      builds.vercel.cancel(id)
      return Promise.resolve({ id, after: 'cancel' })
    },
  },
}

function succeeds(): Promise<CheckResult> {
  return Promise.resolve({ conclusion: 'succeeded', text: 'All is well.' })
}

/** The workflow of the deployment's check run, once Vercel knows how it ended. */
async function checkRunOf(builds: HeldBuilds, { id }: { id: string }) {
  const [run] = await builds.checked({ id })
  const workflowId = checkRunWorkflowId({
    installationId: builds.vercel.installation.id,
    deploymentId: id,
    checkRunId: run?.id ?? '',
  })
  await environment.client.workflow.getHandle(workflowId).result()
  return { workflowId }
}

/** Deploys, with a build that is held until the deployment's check is there. */
async function deployedWithCheck({ builds, provider }: Stage) {
  const step = holdStep(provider, 'before', 'create')
  const { id } = builds.deploy()
  await builds.vercel.until(id, ({ checks }) => checks.length > 0)
  return { id, release: step.release }
}

/** The workflow of the deployment's check, once it has closed. */
async function deploymentCheckOf(builds: HeldBuilds, { id }: { id: string }) {
  const workflowId = deploymentCheckWorkflowId({
    installationId: builds.vercel.installation.id,
    deploymentId: id,
    check: 'smoke',
    resourceId: 'db/42 %',
  })
  await environment.client.workflow.getHandle(workflowId).result()
  return { workflowId }
}

const SUCCEEDED = { kind: 'patch', status: 'succeeded' } as const

function fail(step: 'create', { retryable }: { retryable: boolean }): BranchProvider['before'] {
  return (at) =>
    at === step
      ? Promise.reject(new ActionFailure('refused', 'No branch is to be had.', { retryable }))
      : Promise.resolve()
}

/** Resolves when the deployment's check has asked its action to be told of its end. */
async function untilAsked(builds: HeldBuilds, deployment: { id: string }): Promise<void> {
  const workflowId = actionWorkflowId(builds.keyOf(deployment))
  const handle = environment.client.workflow.getHandle(workflowId)
  await expect
    .poll(async () => (await handle.fetchHistory()).events?.map((each) => each.eventType))
    .toContain(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
}

test.each(Object.entries(stories))(
  '%s',
  async (name, { end, play, steps = false, policy, check, deploymentCheck }) => {
    const provider = branchProvider()
    const deadline = name.endsWith('deadline') ? '2 seconds' : '1 minute'
    const builds = await holdBuilds(
      environment,
      { branch: branchAction(provider, { deadline, steps, policy }) },
      {
        ...(check && {
          checks: {
            smoke: {
              name: 'Smoke',
              requires: 'none',
              targets: ['preview'],
              after: 'branch',
              run: check,
            },
          },
        }),
        ...(deploymentCheck && {
          checks: {
            smoke: {
              api: 'v1',
              name: 'Smoke',
              targets: ['preview'],
              isRerequestable: true,
              after: 'branch',
              run: deploymentCheck,
            },
          },
        }),
      },
    )
    try {
      if (check) await builds.checksRegistered()
      const played = await play({ builds, provider })
      if ('id' in played) await builds.ended(played, { after: played.after ?? 'start' })
      const workflowId = 'id' in played ? actionWorkflowId(builds.keyOf(played)) : played.workflowId
      const handle = environment.client.workflow.getHandle(workflowId)
      const { type, status, searchAttributes } = await handle.describe()
      const [phase = 'without a phase'] = searchAttributes['HoldpointPhase'] ?? []
      expect(`${type} ${status.name} ${String(phase)}`).toBe(end)
      const json = withoutMachine(historyToJSON(await handle.fetchHistory()))
      await writeFile(join(directory, `${name}.json`), json)
    } finally {
      await builds.close()
    }
  },
)
