import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import { DEPLOYMENT_ACTION, type DeploymentAction } from '../../workflows/messages.ts'
import type { ActionEvent } from '../domain/action-event.ts'
import { actionWorkflowId } from '../domain/action-key.ts'
import { describeRun } from './describe-run.ts'
import type { Dispatch } from './dispatch-event.ts'

/**
 * Starts the action's run. `duplicate` when the key ever had a run that the namespace still keeps: a redelivered
 * start, or one that a cancel or cleanup overtook.
 */
export async function startAction(
  { workflows, taskQueue, deadlineMs, reportRunningAfterMs }: Dispatch,
  { key, teamId, options }: ActionEvent,
): Promise<'accepted' | 'duplicate'> {
  try {
    await workflows.start<DeploymentAction>(DEPLOYMENT_ACTION, {
      ...describeRun(
        key,
        'running',
        'Vercel holds the build of a deployment until this run reports its outcome.',
      ),
      workflowId: actionWorkflowId(key),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      taskQueue,
      args: [
        {
          key,
          ...(teamId && { teamId }),
          ...(options && { options }),
          deadlineMs: deadlineMs(key.action),
          reportRunningAfterMs,
        },
      ],
    })
    return 'accepted'
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'duplicate'
    throw error
  }
}
