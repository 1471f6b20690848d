import { type Context, Hono } from 'hono'
import { type Acceptance, ownerOf, type VercelEvent } from '../domain/vercel-event.ts'
import type { Log, LogFields } from '../log.ts'
import { bodyRoom } from './body-room.ts'
import { fairQueue, Overloaded } from './fair-queue.ts'
import { parseEvent } from './parse-event.ts'
import { readBody } from './read-body.ts'
import { parseSignature, verifySignature } from './verify-signature.ts'

/** The largest body that is read. Vercel's events are a few kilobytes. */
const MAX_BODY_BYTES = 1024 * 1024
/** What a webhook does not exceed. Larger bodies have a room of their own, and take none from these. */
const SMALL_BODY_BYTES = 64 * 1024
/** Of each room, so twice that of bodies is held at most: 512 to 2048 small ones, 32 or more large ones. */
const ROOM_BYTES = 32 * 1024 * 1024

const ACCEPTANCE = {
  // Far more than Temporal needs at once to be kept busy.
  atOnce: 200,
  // As many as keep a Temporal server busy that takes 50 ms for each, with 200 a second; Vercel takes 100 updates a
  // minute of an installation.
  atOnceEach: 10,
  waiting: 800,
  // Then up to 5 seconds at Temporal: Vercel waits for 30.
  waitMs: 20_000,
}

const RETRY_AFTER_SECONDS = '5'

export interface WebhookDoor {
  /** The integration's client secrets; two while one is being rotated. */
  readonly secrets: readonly string[]
  /**
   * Accepts the event durably, or throws. The 2xx is sent as soon as it resolves and not before, because Vercel
   * redelivers for 24 hours whatever was not answered with one, and nothing that was.
   */
  readonly accept: (event: VercelEvent) => Promise<Acceptance>
  readonly log: Log
}

/**
 * The route that Vercel's webhooks come in by. Nothing of a body is parsed or logged before its signature holds.
 * 200 `accepted`, `duplicate` or `ignored`; 401 signature; 400 not JSON; 422 a field is missing or wrong; 413 over
 * 1 MiB; 408 not all of it came; 503 with Retry-After when the event could not be accepted durably, or more came in than can be held.
 */
export function webhookRoutes({ secrets, accept, log }: WebhookDoor): Hono {
  const smallBodies = bodyRoom(ROOM_BYTES)
  const largeBodies = bodyRoom(ROOM_BYTES)
  const acceptance = fairQueue(ACCEPTANCE)

  // The cheapest refusals come first: a flood of strangers must not cost what signed events need.
  return new Hono().post('/', async (c) => {
    const signature = parseSignature(c.req.header('x-vercel-signature'))
    // Sent in chunks, a body may come to anything that is taken at all.
    const announced = Number(c.req.header('content-length') ?? MAX_BODY_BYTES)
    if (announced > MAX_BODY_BYTES) return refuseUnread(c, 'body_too_large')
    if (!signature) return refuseUnread(c, 'invalid_signature')
    const place = (announced <= SMALL_BODY_BYTES ? smallBodies : largeBodies).enter(announced)
    if (!place) return refuseUnread(c, 'overloaded')
    try {
      const { givenUp } = place
      const rawBody = await readBody(c.req.raw, { maxBytes: MAX_BODY_BYTES, givenUp })
      if (rawBody === 'too_large') return refuseUnread(c, 'body_too_large')
      if (rawBody === 'gave_way') return refuseUnread(c, 'overloaded')
      if (rawBody === 'broken_off') return refuseUnread(c, 'body_incomplete')
      if (!verifySignature(rawBody, signature, secrets)) return refuse(c, 'invalid_signature')
      place.keep(rawBody.length)
      return await answerSigned(c, rawBody)
    } finally {
      place.leave()
    }
  })

  async function answerSigned(c: Context, rawBody: Uint8Array): Promise<Response> {
    const event = parseEvent(rawBody)
    if (event.kind === 'invalid') {
      const { code, message } = event
      log.warn('webhook.refused', { reason: code, detail: message })
      return c.json(error(code, message), code === 'invalid_json' ? 400 : 422)
    }
    if (event.kind === 'ignored') {
      const { kind: _, ...about } = event
      log.info('webhook.ignored', about)
      return c.json({ status: 'ignored' })
    }
    try {
      const status = await acceptance.run(ownerOf(event), () => accept(event))
      log.info('webhook.accepted', { ...idsOf(event), status })
      return c.json({ status })
    } catch (cause) {
      if (cause instanceof Overloaded) return refuse(c, 'overloaded')
      log.error('webhook.not_accepted', { ...idsOf(event), cause })
      c.header('Retry-After', RETRY_AFTER_SECONDS)
      return c.json(
        error(
          'not_accepted',
          'The event could not be stored durably, so it was not accepted: deliver it again.',
        ),
        503,
      )
    }
  }

  function refuse(c: Context, code: keyof typeof REFUSALS): Response {
    const [status, message] = REFUSALS[code]
    log.warn('webhook.refused', { reason: code })
    if (status === 503) c.header('Retry-After', RETRY_AFTER_SECONDS)
    return c.json(error(code, message), status)
  }

  /** What is left of the body is not read, so the connection can carry no further request. */
  function refuseUnread(c: Context, code: keyof typeof REFUSALS): Response {
    c.header('Connection', 'close')
    return refuse(c, code)
  }
}

/** What a log says of an event: what it is about, and nothing that anybody could have written into it. */
function idsOf(event: VercelEvent): LogFields {
  switch (event.kind) {
    case 'action': {
      const { key, wish, deliveryId } = event.action
      return { ...key, wish, deliveryId }
    }
    case 'check-run': {
      const { key, wish, deliveryId } = event.run
      return { ...key, wish, deliveryId }
    }
    case 'deployment':
    case 'resource-connected':
    case 'installation-removed':
    case 'installation-transferred':
    case 'deployment-removed': {
      const { kind: _, ...ids } = event
      return ids
    }
  }
}

const REFUSALS = {
  body_too_large: [
    413,
    'The body is over 1 MiB, more than any webhook of Vercel: it was not read.',
  ],
  body_incomplete: [
    408,
    'The connection ended before the body did, so no event can be read from it: send it again, whole.',
  ],
  invalid_signature: [
    401,
    'x-vercel-signature is not the HMAC-SHA1 of this body, so nobody knows who sent it: sign the raw bytes with the client secret of the integration.',
  ],
  overloaded: [
    503,
    'More comes in than can be held, so the event was not accepted: deliver it again.',
  ],
} as const

function error(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } }
}
