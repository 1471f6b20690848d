import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import type { Rotated } from '../activities/product.ts'
import {
  type ResourceChangeRequest,
  secretsExpiryWorkflowId,
  type SecretsExpiryRequest,
} from '../src/domain/resource-run.ts'
import { changeResource } from './activities.ts'
import { SECRETS_EXPIRY, type SecretsExpiry } from './messages.ts'
import { ResourceWork } from './resource-work.ts'
import { showPhase } from './show-phase.ts'

/**
 * Changes a resource, or makes new secrets for it. One that fails leaves the resource as it is known; one whose resource
 * is removed meanwhile goes on as the removal. The old secrets of a rotation end after their time, but never before
 * Vercel was told of the new ones.
 *
 * Ends as Completed when it is changed, else as Failed with a sentence for the customer.
 */
export async function resourceChange(request: ResourceChangeRequest): Promise<void> {
  const { key, change, deadlineMs } = request
  const work = new ResourceWork(key, change.kind)
  let rotated: Rotated = {}
  const failure = await work.attempt(deadlineMs, async (deadlineAt) => {
    rotated = await changeResource({ key, change, deadlineAt })
  })
  let told = await work.announce(failure?.message)
  if (change.kind === 'rotation' && !failure && told && !work.removed) {
    const { rotationId, keepOldMs } = change
    await expireLater(rotationId, { key, keepOldMs, ...rotated })
    // Whoever waited may have gone meanwhile.
    told = await work.announce()
  }
  if (work.removed) return await work.goOnAsRemoval()
  const end =
    failure ??
    (told ? undefined : work.notAnnounced('Old secrets stay good: ask for the change once more.'))
  if (!end) return
  showPhase({ phase: 'failed', because: end.message })
  throw end
}

/** Begins the time of the old secrets, by itself. The second time for the same rotation it has begun. */
async function expireLater(rotationId: string, request: SecretsExpiryRequest): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    try {
      await startChild<SecretsExpiry>(SECRETS_EXPIRY, {
        workflowId: secretsExpiryWorkflowId(request.key, rotationId),
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        parentClosePolicy: ParentClosePolicy.ABANDON,
        typedSearchAttributes: workflowInfo().typedSearchAttributes,
        staticSummary: `Old secrets of ${request.key.resourceId}`.slice(0, 100),
        args: [request],
      })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    }
  })
}
