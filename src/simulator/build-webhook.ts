import type { Deployment, HeldAction } from './deployment.ts'
import type { Dials } from './dials.ts'
import { newId } from './identifiers.ts'
import type { ActionEventKind } from './surroundings.ts'

/** The envelope of every webhook; other keys may stand beside these. */
export interface WebhookEvent {
  readonly id: string
  readonly type: string
  /** When it happened, in milliseconds since the epoch; not when it is sent. */
  readonly createdAt: number
  readonly payload: Readonly<Record<string, unknown>>
  readonly region?: string | null
}

export type ActionEventType = `deployment.integration.action.${ActionEventKind}`

/** What is told, before it has an envelope. */
export type UnsentEvent = Pick<WebhookEvent, 'type' | 'payload'>

/** Puts an event into its envelope, as the dials have it. */
export function buildWebhook(event: UnsentEvent, createdAt: number, dials: Dials): WebhookEvent {
  return {
    id: newId('uev'),
    type: event.type,
    createdAt,
    payload: event.payload,
    ...(dials.region !== undefined && { region: dials.region }),
    ...dials.extraEnvelopeKeys,
  }
}

/** What Vercel tells of an action: its identity, and next to nothing of the deployment. */
export function actionEvent(
  kind: ActionEventKind,
  deployment: Deployment,
  action: HeldAction,
  dials: Dials,
): { type: ActionEventType; payload: Record<string, unknown> } {
  const { installation } = deployment.project
  return {
    type: `deployment.integration.action.${kind}`,
    payload: {
      ...(dials.configurationInPayload && { configuration: { id: installation.id } }),
      installationId: installation.id,
      resourceId: action.connection.resourceId,
      action: action.chosen.slug,
      deployment: { id: deployment.id },
      ...(dials.teamInPayload && { team: { id: installation.teamId } }),
      user: { id: null },
      ...(dials.optionsInPayload && { options: action.chosen.options }),
      ...dials.extraPayloadKeys,
    },
  }
}
