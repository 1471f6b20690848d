import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ActionEvent } from '../domain/action-event.ts'
import type { Log } from '../log.ts'
import { parseEvent } from './parse-event.ts'
import { verifySignature } from './verify-signature.ts'

/** The largest body that is read. Vercel's events are a few kilobytes. */
const MAX_BODY_BYTES = 1024 * 1024

export interface WebhookDoor {
  /** The integration's client secrets; two while one is being rotated. */
  readonly secrets: readonly string[]
  /**
   * Accepts the event durably, or throws. The 2xx is sent only after it resolves, because Vercel redelivers for
   * 24 hours whatever was not answered with one, and nothing that was.
   */
  readonly accept: (event: ActionEvent) => Promise<'accepted' | 'duplicate'>
  readonly log: Log
}

/**
 * The route that Vercel's webhooks come in by. Nothing of a body is parsed or logged before its signature holds.
 * 200 `accepted`, `duplicate` or `ignored`; 401 signature; 400 not JSON; 422 a field is missing or wrong; 413 over
 * 1 MiB; 503 with Retry-After when the event could not be accepted durably.
 */
export function webhookRoutes({ secrets, accept, log }: WebhookDoor): Hono {
  return new Hono().post(
    '/',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) => {
        // The rest of the body is not read, so the connection can carry no further request.
        c.header('Connection', 'close')
        return c.json(
          error(
            'body_too_large',
            'The body is over 1 MiB, more than any webhook of Vercel: it was not read.',
          ),
          413,
        )
      },
    }),
    async (c) => {
      const rawBody = new Uint8Array(await c.req.arrayBuffer())
      if (!verifySignature(rawBody, c.req.header('x-vercel-signature'), secrets)) {
        log.warn('webhook.refused', { reason: 'invalid_signature', bytes: rawBody.length })
        return c.json(
          error(
            'invalid_signature',
            'x-vercel-signature is not the HMAC-SHA1 of this body, so nobody knows who sent it: sign the raw bytes with the client secret of the integration.',
          ),
          401,
        )
      }
      const event = parseEvent(rawBody)
      if (event.kind === 'invalid') {
        const { code, message } = event
        log.warn('webhook.refused', { reason: code, detail: message })
        return c.json(error(code, message), code === 'invalid_json' ? 400 : 422)
      }
      if (event.kind === 'ignored') {
        log.info('webhook.ignored', { type: event.type })
        return c.json({ status: 'ignored' })
      }
      const { key, wish, deliveryId } = event.action
      try {
        const status = await accept(event.action)
        log.info('webhook.accepted', { ...key, wish, deliveryId, status })
        return c.json({ status })
      } catch (cause) {
        log.error('webhook.not_accepted', { ...key, wish, deliveryId, cause })
        c.header('Retry-After', '5')
        return c.json(
          error(
            'not_accepted',
            'The event could not be stored durably, so it was not accepted: deliver it again.',
          ),
          503,
        )
      }
    },
  )
}

function error(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } }
}
