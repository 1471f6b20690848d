import type { ZodError } from 'zod'
import type { ActionEvent, Wish } from '../domain/action-event.ts'
import { actionPayloadSchema, envelopeSchema } from './event.ts'

/** A webhook after parsing: one that asks something of an action, or one that Holdpoint has no use for. */
export type WebhookEvent =
  | { readonly kind: 'action'; readonly action: ActionEvent }
  | { readonly kind: 'ignored'; readonly type: string }

/** A signed body that is not a webhook as Vercel documents it. `message` names the field and never its value. */
export class InvalidEvent extends Error {
  readonly code: 'invalid_json' | 'invalid_event'

  constructor(code: 'invalid_json' | 'invalid_event', message: string) {
    super(message)
    this.name = 'InvalidEvent'
    this.code = code
  }
}

const WISHES: Record<string, Wish> = {
  'deployment.integration.action.start': 'run',
  'deployment.integration.action.cancel': 'canceled',
  'deployment.integration.action.cleanup': 'cleaned',
}

/** Reads a webhook whose signature was verified. Throws `InvalidEvent`; unknown types are no error. */
export function parseEvent(rawBody: Uint8Array): WebhookEvent {
  const envelope = envelopeSchema.safeParse(parseJson(rawBody))
  if (!envelope.success) throw invalid(envelope.error, [])
  const { id, type, createdAt, payload } = envelope.data
  const wish = Object.hasOwn(WISHES, type) ? WISHES[type] : undefined
  if (!wish) return { kind: 'ignored', type }
  const parsed = actionPayloadSchema.safeParse(payload)
  if (!parsed.success) throw invalid(parsed.error, ['payload'])
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

function parseJson(rawBody: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody))
  } catch {
    throw new InvalidEvent(
      'invalid_json',
      'The body is not JSON in UTF-8, so no event can be read from it: send the JSON that was signed.',
    )
  }
}

function invalid(error: ZodError, path: readonly string[]): InvalidEvent {
  const fields = error.issues.map(
    (issue) => `${[...path, ...issue.path].join('.') || 'body'}: ${issue.message}`,
  )
  return new InvalidEvent(
    'invalid_event',
    `The event cannot be acted on. ${fields.join('; ')}. Send it again with these fields corrected.`,
  )
}
