import type { WebhookEvent } from './build-webhook.ts'
import type { WebhookRecord } from './timeline.ts'

/** What a record says of a webhook: which it is and whom it is about, as far as its payload tells. */
export function describeWebhook(
  event: WebhookEvent,
): Omit<WebhookRecord, 'at' | 'attempt' | 'result'> {
  const { deployment, resourceId, action, checkRun } = event.payload
  const deploymentId = idOf(deployment)
  const checkRunId = idOf(checkRun)
  return {
    kind: 'webhook',
    type: event.type,
    id: event.id,
    ...(deploymentId !== undefined && { deploymentId }),
    ...(typeof resourceId === 'string' && { resourceId }),
    ...(typeof action === 'string' && { action }),
    ...(checkRunId !== undefined && { checkRunId }),
  }
}

function idOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined
  return typeof value.id === 'string' ? value.id : undefined
}
