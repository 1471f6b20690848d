import type { Wish } from '../domain/action-event.ts'
import { actionPayloadSchema } from './event.ts'
import type { Reader } from './reader.ts'

/** Reads what is wanted of an action. */
export function readAction(wish: Wish): Reader {
  return (payload, { deliveryId, occurredAt }) => {
    const parsed = actionPayloadSchema.safeParse(payload)
    if (!parsed.success) return parsed.error
    const { installationId, resourceId, action, deployment, team, options } = parsed.data
    return {
      kind: 'action',
      action: {
        key: { installationId, resourceId, deploymentId: deployment.id, action },
        wish,
        deliveryId,
        occurredAt,
        ...(team && { teamId: team.id }),
        ...(options && { options }),
      },
    }
  }
}
