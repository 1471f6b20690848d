import { Context } from '@temporalio/activity'
import type { DeclaredAction } from '../src/actions/define-action.ts'
import type { ActionRequest } from '../src/domain/action-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { judgeAdmission, type Refusal } from '../src/domain/policy.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { getResourceMetadata } from '../src/vercel/resources.ts'
import { runStep } from './activity-call.ts'
import { declaredAction } from './declared-action.ts'
import type { Dependencies } from './dependencies.ts'
import type { HeadStartRequest, OpeningRead } from './head-start.ts'
import { type Report, reportFirstOutcome } from './report-outcome.ts'

/** A new deployment may be unknown to the server that is asked first. */
const UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS = 4

const STEPS = ['provision', 'migrate', 'ready'] as const
export type Step = (typeof STEPS)[number]

export interface OpenedAction {
  readonly deployment: Deployment
  /** Option values as the customer set them, unchecked. */
  readonly options: Record<string, unknown>
  /** The steps that the action has to do, in their order. */
  readonly steps: readonly Step[]
  /** Why the action's policy has nothing made for the deployment; unset where it has. */
  readonly skipped?: string
  /** What became of the first report, where it was made at once. */
  readonly report?: Report
}

/**
 * Reads what an action is opened with: side by side, once each. Fails for good when the action is not declared, or the
 * resource is known to be another installation's.
 */
export async function readOpening(
  {
    actions,
    vercel,
    products,
    installations,
  }: Pick<Dependencies, 'actions' | 'vercel' | 'products' | 'installations'>,
  { key, teamId, options }: HeadStartRequest,
  signal?: AbortSignal,
): Promise<OpeningRead> {
  const { definition } = declaredAction(actions, key.action)
  const heard = signal && { signal }
  const [deployment, metadata, resource] = await Promise.all([
    getDeployment(vercel, { ...key, teamId, ...heard }),
    definition.options && !options ? getResourceMetadata(vercel, { ...key, ...heard }) : {},
    products.size > 0 ? installations?.findResource(key.resourceId) : undefined,
  ])
  if (resource && resource.installationId !== key.installationId) {
    throw new ActionFailure(
      'resource_foreign',
      `The resource ${key.resourceId} belongs to another installation than the deployment, so nothing was made of it: connect a resource of this team to the project.`,
      { retryable: false },
    )
  }
  return { deployment, metadata }
}

export function createOpeningActivities(dependencies: Dependencies) {
  const { actions, headStarts } = dependencies
  return {
    /**
     * Reads the deployment, and the values of the action's options. Fails for good when the action is not declared,
     * its policy refuses the deployment, or Vercel keeps saying that it does not know the deployment; a read that began
     * in time may end after the deadline.
     *
     * Where nothing is to be done but the report, it is made here too, if this process knows that nobody made one: the
     * second time, and after a crash, it is left to the workflow.
     */
    async openAction(
      request: ActionRequest & { readonly deadlineAt: number },
    ): Promise<OpenedAction> {
      const { key, teamId, headStart, deadlineAt } = request
      return await runStep(
        dependencies,
        key,
        async (call) => {
          const declared = declaredAction(actions, key.action)
          const early = headStart === undefined ? undefined : await headStarts?.opened(headStart)
          const read = early ?? (await readOpening(dependencies, request, call.signal))
          // Whom it comes from only the policy has to know.
          const { origin: _origin, ...deployment } = read.deployment
          if (deployment.standing === 'gone') {
            throw new ActionFailure(
              'deployment_unknown',
              `Vercel does not show deployment ${key.deploymentId} to this integration, so nothing was made for it: deploy again, or check that the integration may read deployments.`,
              { retryable: Context.current().info.attempt < UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS },
            )
          }
          const options = request.options ?? read.metadata
          const refusal = refusalOf(declared, request, read.deployment)
          if (refusal) call.log.info('action.not_admitted', { ...key, ...refusal })
          if (refusal?.verdict === 'fail')
            throw new ActionFailure('policy_refused', refusal.because, { retryable: false })
          const { definition } = declared
          const steps = refusal ? [] : STEPS.filter((step) => definition[step] !== undefined)
          const skipped = refusal && { skipped: refusal.because }
          const opened = { deployment, options, steps, ...skipped }
          const reportNow =
            steps.length === 0 &&
            deployment.standing === 'waiting' &&
            headStart !== undefined &&
            headStarts?.takeFirstReport(headStart)
          if (!reportNow) return opened
          const team = teamId && { teamId }
          const step = { key, ...team, deployment, options, deadlineAt, ...skipped }
          const mayHaveBeenTaken = request.resumed === true
          return {
            ...opened,
            report: await reportFirstOutcome(
              dependencies,
              headStart,
              { ...step, mayHaveBeenTaken },
              call,
            ),
          }
        },
        deadlineAt,
      )
    },
  }
}

/** What the action's policy has against working for the deployment, if it waits for that. */
function refusalOf(
  { definition, policy }: DeclaredAction,
  { resumed }: Pick<ActionRequest, 'resumed'>,
  deployment: Deployment,
): Refusal | undefined {
  // A run that goes on with what an earlier one made was admitted then.
  if (!policy || resumed || deployment.standing !== 'waiting') return undefined
  const sharesGitBranches = definition.sharesGitBranches === true
  return judgeAdmission(policy, { deployment, sharesGitBranches })
}
