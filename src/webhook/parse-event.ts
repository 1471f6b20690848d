import { ZodError } from 'zod'
import type { VercelEvent } from '../domain/vercel-event.ts'
import { envelopeSchema } from './event.ts'
import { readAction } from './read-action.ts'
import { readCheckRun } from './read-check-run.ts'
import { readConnection } from './read-connection.ts'
import { readDeploymentEvent, readRerequest } from './read-deployment-event.ts'
import { readDeploymentRemoved } from './read-deployment-removed.ts'
import { readInstallationRemoved } from './read-installation-removed.ts'
import { readInstallationTransferred } from './read-installation-transferred.ts'
import type { Reader } from './reader.ts'

/** A signed body after parsing: what it asks for, or why nothing is asked of us. */
export type WebhookEvent =
  | VercelEvent
  /** Of a type that Holdpoint has no use for, or about what is none of ours. */
  | { readonly kind: 'ignored'; readonly type: string; readonly because?: string }
  /** Not a webhook as Vercel documents it. `message` names the field and never its value. */
  | {
      readonly kind: 'invalid'
      readonly code: 'invalid_json' | 'invalid_event'
      readonly message: string
    }

const READERS: Record<string, Reader> = {
  'deployment.integration.action.start': readAction('run'),
  'deployment.integration.action.cancel': readAction('canceled'),
  'deployment.integration.action.cleanup': readAction('cleaned'),
  'deployment.checkrun.start': readCheckRun('run'),
  'deployment.checkrun.cancel': readCheckRun('canceled'),
  'deployment.created': readDeploymentEvent('created'),
  'deployment.ready': readDeploymentEvent('ready'),
  'deployment.error': readDeploymentEvent('failed'),
  // Vercel's own sources have it in both spellings.
  'deployment.canceled': readDeploymentEvent('canceled'),
  'deployment.cancelled': readDeploymentEvent('canceled'),
  'deployment.check-rerequested': readRerequest,
  'integration-resource.project-connected': readConnection(true),
  'integration-resource.project-disconnected': readConnection(false),
  'integration-configuration.removed': readInstallationRemoved,
  'integration-configuration.transferred': readInstallationTransferred,
  'deployment.cleanup': readDeploymentRemoved,
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
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined
  const event = read?.(payload, { deliveryId: id, occurredAt: createdAt }) ?? 'ignored'
  if (event === 'ignored') return { kind: 'ignored', type }
  if (event instanceof ZodError) return invalid(event, ['payload'])
  return event.kind === 'ignored' ? { ...event, type } : event
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
