import type { ZodError } from 'zod'
import type { ActionEvent, Wish } from '../domain/action-event.ts'
import { actionPayloadSchema, envelopeSchema } from './event.ts'

/** A signed body after parsing: what it asks of an action, or why nothing is asked of us. */
export type WebhookEvent =
  | { readonly kind: 'action'; readonly action: ActionEvent }
  /** Of a type that Holdpoint has no use for. */
  | { readonly kind: 'ignored'; readonly type: string }
  /** Not a webhook as Vercel documents it. `message` names the field and never its value. */
  | {
      readonly kind: 'invalid'
      readonly code: 'invalid_json' | 'invalid_event'
      readonly message: string
    }

const WISHES: Record<string, Wish> = {
  'deployment.integration.action.start': 'run',
  'deployment.integration.action.cancel': 'canceled',
  'deployment.integration.action.cleanup': 'cleaned',
}

/** Reads a webhook whose signature was verified. Never throws. */
export function parseEvent(rawBody: Uint8Array): WebhookEvent {
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody))
  } catch {
    return {
      kind: 'invalid',
      code: 'invalid_json',
      message:
        'The body is not JSON in UTF-8, so no event can be read from it: send the JSON that was signed.',
    }
  }
  const envelope = envelopeSchema.safeParse(body)
  if (!envelope.success) return invalid(envelope.error, [])
  const { id, type, createdAt, payload } = envelope.data
  const wish = Object.hasOwn(WISHES, type) ? WISHES[type] : undefined
  if (!wish) return { kind: 'ignored', type }
  const parsed = actionPayloadSchema.safeParse(payload)
  if (!parsed.success) return invalid(parsed.error, ['payload'])
  const { installationId, resourceId, action, deployment, team, options } = parsed.data
  return {
    kind: 'action',
    action: {
      key: { installationId, resourceId, deploymentId: deployment.id, action },
      wish,
      deliveryId: id,
      occurredAt: createdAt,
      ...(team && { teamId: team.id }),
      ...(options && { options }),
    },
  }
}

function invalid(error: ZodError, path: readonly string[]): WebhookEvent {
  const fields = error.issues.map(
    (issue) => `${[...path, ...issue.path].join('.') || 'body'}: ${issue.message}`,
  )
  return {
    kind: 'invalid',
    code: 'invalid_event',
    message: `The event cannot be acted on. ${fields.join('; ')}. Send it again with these fields corrected.`,
  }
}
