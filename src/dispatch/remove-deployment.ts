import { DEPLOYMENT_REMOVAL, type DeploymentRemoval } from '../../workflows/messages.ts'
import { deploymentRemovalWorkflowId } from '../domain/deployment-removal.ts'
import type { DeploymentRemoved } from '../domain/vercel-event.ts'
import { describeWork } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'

/**
 * Has everything of a deployment taken back that its actions' own cleanups left. While that is at work this is the same
 * run; after its end another one looks once more.
 */
export async function removeDeployment(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  { deploymentId, accountId }: DeploymentRemoved,
): Promise<'accepted'> {
  const because = 'Vercel told that the deployment is gone for good.'
  await workflows.start<DeploymentRemoval>(DEPLOYMENT_REMOVAL, {
    ...describeWork(
      { deploymentId, ...(accountId !== undefined && { accountId }) },
      { summary: `Removal of ${deploymentId}`, because },
    ),
    workflowId: deploymentRemovalWorkflowId(deploymentId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue,
    args: [{ deploymentId, because }],
  })
  return 'accepted'
}
