import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import { DEPLOYMENT_ACTION, type DeploymentAction } from '../../workflows/messages.ts'
import type { ActionEvent } from '../domain/action-event.ts'
import { actionWorkflowId } from '../domain/action-key.ts'
import { describeRun } from './describe-run.ts'
import type { Dispatch } from './dispatch-event.ts'

/**
 * Starts the action's run. `duplicate` when the key ever had a run that the namespace still keeps: a redelivered
 * start, or one that a cancel or cleanup overtook.
 *
 * With `resumes`, it goes on with what an earlier run left: one that no history tells of, or one that was broken off.
 */
export async function startAction(
  { workflows, taskQueue, deadlineMs, reportRunningAfterMs, headStarts }: Dispatch,
  event: Pick<ActionEvent, 'key' | 'teamId' | 'options'>,
  resumes?: { readonly brokenOff: boolean; readonly because: string },
): Promise<'accepted' | 'duplicate'> {
  const { key, teamId, options } = event
  // What an earlier run of the key has reported, nobody here knows.
  const headStart = resumes ? undefined : headStarts?.begin(event)
  try {
    await workflows.start<DeploymentAction>(DEPLOYMENT_ACTION, {
      ...describeRun(key, {
        because:
          resumes?.because ??
          'Vercel holds the build of a deployment until this run reports its outcome.',
      }),
      workflowId: actionWorkflowId(key),
      workflowIdReusePolicy: resumes?.brokenOff
        ? 'ALLOW_DUPLICATE_FAILED_ONLY'
        : 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      taskQueue,
      // Temporal's answer brings the first task along, if our worker has room for it.
      requestEagerStart: headStart !== undefined,
      ...(resumes && { memo: { resumed: true } }),
      args: [
        {
          key,
          ...(teamId && { teamId }),
          ...(options && { options }),
          deadlineMs: deadlineMs(key.action),
          reportRunningAfterMs,
          ...(headStart !== undefined && { headStart }),
          ...(resumes && { resumed: true as const }),
        },
      ],
    })
    return 'accepted'
  } catch (error) {
    if (headStart !== undefined) headStarts?.drop(headStart)
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'duplicate'
    throw error
  }
}
