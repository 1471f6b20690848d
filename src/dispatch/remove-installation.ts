import type { WorkflowHandle } from '@temporalio/client'
import { INSTALLATION_REMOVAL, type InstallationRemoval } from '../../workflows/messages.ts'
import { type RemovalRequest, removalWorkflowId } from '../domain/installation-removal.ts'
import { describeWork } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'

/**
 * Has everything of an installation taken back; resolves with the run once Temporal has stored it. While a removal is
 * at work this is the same one; after its end another one looks once more, and finds what came late.
 */
export async function removeInstallation(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  request: RemovalRequest,
): Promise<WorkflowHandle<InstallationRemoval>> {
  const { installationId, because } = request
  return await workflows.start<InstallationRemoval>(INSTALLATION_REMOVAL, {
    ...describeWork({ installationId }, { summary: `Removal of ${installationId}`, because }),
    workflowId: removalWorkflowId(installationId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue,
    args: [request],
  })
}
