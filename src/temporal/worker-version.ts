import type { WorkerDeploymentVersion } from '@temporalio/common'
import { ActionFailure } from '../domain/failure.ts'
import type { TemporalLink } from './connection.ts'

/**
 * Makes this version the one that new work goes to where the worker deployment has none yet, as at its very first
 * start. Any later change is a decision of whoever deploys. Needs a worker of the version that polls; throws a
 * retryable `ActionFailure` until there is one.
 */
export async function becomeFirstVersion(
  { connection, namespace }: Pick<TemporalLink, 'connection' | 'namespace'>,
  { deploymentName, buildId }: WorkerDeploymentVersion,
): Promise<void> {
  try {
    const { workflowService } = connection
    const answer = await workflowService.describeWorkerDeployment({ namespace, deploymentName })
    const { routingConfig } = answer.workerDeploymentInfo ?? {}
    if (routingConfig?.currentDeploymentVersion) return
    await workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName,
      buildId,
      conflictToken: answer.conflictToken,
    })
  } catch (cause) {
    throw new ActionFailure(
      'version_not_current',
      `Temporal did not take the version ${buildId} of the worker deployment ${deploymentName} as its first, so no work reaches it. It is tried again; or run: temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}`,
      { retryable: true, cause },
    )
  }
}
