import {
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { RESOURCE_CHANGE, type ResourceChanging } from '../../workflows/messages.ts'
import { resourceWorkflowId } from '../domain/resource-key.ts'
import { changeMark, type ResourceChangeRequest } from '../domain/resource-run.ts'
import { describeWork } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'
import { startUnlessBusy } from './start-unless-busy.ts'

/**
 * Has a resource changed; resolves once Temporal has stored it. While the same change is at work this is the same one,
 * and a rotation is so after it has ended well, too. Undefined while something else is done to the resource.
 */
export async function changeResource(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  request: ResourceChangeRequest,
): Promise<WorkflowHandle | undefined> {
  const { key, change } = request
  const workflowId = resourceWorkflowId(key)
  const mark = changeMark(change)
  const isSame = ({ type, memo }: WorkflowExecutionDescription) =>
    type === RESOURCE_CHANGE && memo?.['change'] === mark
  if (change.kind === 'rotation') {
    const latest = await latestRun(workflows.getHandle(workflowId))
    if (latest && isSame(latest) && latest.status.name === 'COMPLETED')
      return workflows.getHandle(workflowId, latest.runId, { followRuns: false })
  }
  return await startUnlessBusy(workflows, {
    workflowId,
    async start() {
      const { firstExecutionRunId } = await workflows.start<ResourceChanging>(RESOURCE_CHANGE, {
        ...describeWork(key, {
          summary:
            change.kind === 'rotation'
              ? `New secrets for ${key.resourceId}`
              : `Change of ${key.resourceId}`,
          because: 'A customer asked for it.',
        }),
        workflowId,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        taskQueue,
        memo: { change: mark },
        args: [request],
      })
      return firstExecutionRunId
    },
    isSame,
  })
}

async function latestRun(
  handle: WorkflowHandle,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await handle.describe()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}
