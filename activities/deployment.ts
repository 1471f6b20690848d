import { Context } from '@temporalio/activity'
import type { ActionRequest } from '../src/domain/action-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { getResourceMetadata } from '../src/vercel/resources.ts'
import { activityFailure } from './activity-call.ts'
import { declaredAction } from './declared-action.ts'
import type { Dependencies } from './dependencies.ts'

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

export function createDeploymentActivities({ actions, vercel, log }: Dependencies) {
  return {
    /**
     * Reads the deployment, and the values of the action's options. Fails for good when the action is not declared
     * or Vercel keeps saying that it does not know the deployment.
     */
    async fetchDeployment({
      key,
      teamId,
      options,
      deadlineAt,
    }: ActionRequest & { deadlineAt: number }): Promise<OpenedAction> {
      const { cancellationSignal: signal, info } = Context.current()
      try {
        const { definition } = declaredAction(actions, key.action)
        const [deployment, metadata] = await Promise.all([
          getDeployment(vercel, { ...key, teamId, signal }),
          definition.options && !options ? getResourceMetadata(vercel, { ...key, signal }) : {},
        ])
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
