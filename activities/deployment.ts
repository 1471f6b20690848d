import { Context } from '@temporalio/activity'
import type { ActionRequest } from '../src/domain/action-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { getResourceMetadata } from '../src/vercel/resources.ts'
import { activityFailure } from './activity-call.ts'
import { declaredAction } from './declared-action.ts'
import type { Dependencies } from './dependencies.ts'
import type { HeadStartRequest, OpeningRead } from './head-start.ts'

/** A new deployment may be unknown to the server that is asked first. */
const UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS = 4

const STEPS = ['provision', 'migrate', 'ready'] as const
export type Step = (typeof STEPS)[number]

export interface OpenedAction {
  readonly deployment: Deployment
  /** Option values as the customer set them, unchecked. */
  readonly options: Record<string, unknown>
  /** The steps that the action has, in their order. */
  readonly steps: readonly Step[]
}

/** Reads of Vercel what an action is opened with: side by side, once each. */
export async function readOpening(
  { actions, vercel }: Pick<Dependencies, 'actions' | 'vercel'>,
  { key, teamId, options }: HeadStartRequest,
  signal?: AbortSignal,
): Promise<OpeningRead> {
  const { definition } = declaredAction(actions, key.action)
  const heard = signal && { signal }
  const [deployment, metadata] = await Promise.all([
    getDeployment(vercel, { ...key, teamId, ...heard }),
    definition.options && !options ? getResourceMetadata(vercel, { ...key, ...heard }) : {},
  ])
  return { deployment, metadata }
}

export function createDeploymentActivities(dependencies: Dependencies) {
  const { actions, headStarts, log } = dependencies
  return {
    /**
     * Reads the deployment, and the values of the action's options. Fails for good when the action is not declared
     * or Vercel keeps saying that it does not know the deployment.
     */
    async fetchDeployment(request: ActionRequest & { deadlineAt: number }): Promise<OpenedAction> {
      const { key, options, headStart, deadlineAt } = request
      const { cancellationSignal: signal, info } = Context.current()
      try {
        const { definition } = declaredAction(actions, key.action)
        const early = headStart === undefined ? undefined : await headStarts?.opened(headStart)
        const { deployment, metadata } = early ?? (await readOpening(dependencies, request, signal))
        if (deployment.standing === 'gone') {
          throw new ActionFailure(
            'deployment_unknown',
            `Vercel does not show deployment ${key.deploymentId} to this integration, so nothing was made for it: deploy again, or check that the integration may read deployments.`,
            { retryable: info.attempt < UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS },
          )
        }
        return {
          deployment,
          options: options ?? metadata,
          steps: STEPS.filter((step) => definition[step] !== undefined),
        }
      } catch (error) {
        throw activityFailure(error, key, log, deadlineAt)
      }
    },
  }
}
