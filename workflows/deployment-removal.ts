import { CancellationScope, setCurrentDetails } from '@temporalio/workflow'
import type { DeploymentRemovalRequest } from '../src/domain/deployment-removal.ts'
import { withdrawScope } from './activities.ts'
import { withdrawUntilClean } from './withdraw-until-clean.ts'

/**
 * Takes back what a deployment that is gone for good still has, where a cleanup of one of its actions was lost: by the
 * runs of its own keys, until nothing is left.
 *
 * Nothing cancels it: a deployment that is gone for good never comes back.
 */
export async function deploymentRemoval(request: DeploymentRemovalRequest): Promise<void> {
  const { deploymentId, because } = request
  await CancellationScope.nonCancellable(async () => {
    await withdrawUntilClean(request, () => withdrawScope({ scope: { deploymentId }, because }))
    setCurrentDetails('**removed**: nothing of the deployment is left.')
  })
}
