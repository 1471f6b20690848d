import type { WebhookEvent } from './build-webhook.ts'
import type { WebhookRecord } from './timeline.ts'

/** What a record says of a webhook: which it is and whom it is about, as far as its payload tells. */
export function describeWebhook(
  event: WebhookEvent,
): Omit<WebhookRecord, 'at' | 'attempt' | 'result'> {
  const { deployment, resourceId, action } = event.payload
  const deploymentId =
    typeof deployment === 'object' && deployment !== null && 'id' in deployment
      ? deployment.id
      : undefined
  return {
    kind: 'webhook',
    type: event.type,
    id: event.id,
    ...(typeof deploymentId === 'string' && { deploymentId }),
    ...(typeof resourceId === 'string' && { resourceId }),
    ...(typeof action === 'string' && { action }),
  }
}
