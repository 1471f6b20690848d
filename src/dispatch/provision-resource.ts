import type { WorkflowHandle } from '@temporalio/client'
import { RESOURCE_PROVISIONING, type ResourceProvisioning } from '../../workflows/messages.ts'
import { resourceWorkflowId } from '../domain/resource-key.ts'
import type { ResourceRequest } from '../domain/resource-run.ts'
import { describeWork } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'
import { startUnlessBusy } from './start-unless-busy.ts'

/**
 * Has a resource provisioned; resolves once Temporal has stored it. While its provisioning is at work this is the same
 * one; after its end, another one finds what there is. Undefined while something else is done to the resource.
 */
export async function provisionResource(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  request: ResourceRequest,
): Promise<WorkflowHandle | undefined> {
  const { key } = request
  const workflowId = resourceWorkflowId(key)
  return await startUnlessBusy(workflows, {
    workflowId,
    async start() {
      const { firstExecutionRunId } = await workflows.start<ResourceProvisioning>(
        RESOURCE_PROVISIONING,
        {
          ...describeWork(key, {
            summary: `Provisioning of ${key.resourceId}`,
            because: 'A customer wants a resource.',
          }),
          workflowId,
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
          taskQueue,
          args: [request],
        },
      )
      return firstExecutionRunId
    },
    isSame: ({ type }) => type === RESOURCE_PROVISIONING,
  })
}
