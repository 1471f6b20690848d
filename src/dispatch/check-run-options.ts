import {
  type CheckRunEvent,
  type CheckRunRequest,
  checkRunWorkflowId,
} from '../domain/check-run.ts'
import { describeWork } from './describe-work.ts'

/** What the workflow of a check run is started with, whichever event comes first. It is there once, and never again. */
export function checkRunOptions(run: CheckRunEvent, because: string) {
  const { wish: _, deliveryId: __, ...request } = run
  const { key, resourceId, name = 'Check' } = request
  const args: [CheckRunRequest] = [request]
  return {
    ...describeWork(
      { ...key, ...(resourceId !== undefined && { resourceId }) },
      { because, summary: `${name} on ${key.deploymentId}` },
    ),
    workflowId: checkRunWorkflowId(key),
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    args,
  } as const
}
