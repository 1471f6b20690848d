import { cleanupSignal, RESOURCE_REMOVAL, type ResourceRemoval } from '../../workflows/messages.ts'
import { resourceWorkflowId } from '../domain/resource-key.ts'
import type { ResourceRemovalRequest } from '../domain/resource-run.ts'
import { describeWork } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'

/**
 * Has a resource taken back with all its branches; resolves once Temporal has stored it. A provisioning or change that
 * is at work is told to stop, and goes on as the removal; while a removal is at work this is the same one. One call
 * does either, so no moment lies between looking and acting.
 */
export async function removeResource(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  request: ResourceRemovalRequest,
): Promise<void> {
  const { key, because } = request
  await workflows.signalWithStart<ResourceRemoval>(RESOURCE_REMOVAL, {
    ...describeWork(key, { summary: `Removal of ${key.resourceId}`, because }),
    workflowId: resourceWorkflowId(key),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    taskQueue,
    args: [request],
    signal: cleanupSignal,
    signalArgs: [],
  })
}
