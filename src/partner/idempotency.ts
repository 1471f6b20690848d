import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { digest } from '../domain/workflow-id.ts'
import type { StoredAnswer } from '../installations/store.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { PartnerError } from './partner-error.ts'
import { invalidRequest } from './refuse-invalid.ts'

const HEADER = 'Idempotency-Key'
const USABLE_KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Answers a request that changes something once: when it comes again with its `Idempotency-Key`, the same answer goes
 * out and nothing is done, for 24 hours. Another request with the key of one before is refused. What may end otherwise
 * a moment later (5xx, `passing`) is not kept. A request whose answer was never kept is done again, so what a route does
 * must be idempotent by itself. Keys of different installations have nothing to do with one another. To stand behind
 * the lock: an answer may hold secrets.
 */
export const answerOnce = createMiddleware<PartnerEnvironment>(async (c, next) => {
  const { method, path } = c.req
  const key = c.req.header(HEADER)
  const installationId = c.req.param('installationId')
  if (method === 'GET' || key === undefined || installationId === undefined) return await next()
  if (!USABLE_KEY.test(key)) {
    const message = 'must be 1 to 255 visible characters'
    throw invalidRequest([{ key: HEADER, message }])
  }
  const fingerprint = digest(JSON.stringify([method, path, await c.req.text()]))
  const request = { installationId, key, fingerprint }
  const recalled = await c.var.store.recallAnswer(request)
  if (recalled.kind === 'answered') return replay(c, recalled.answer)
  if (recalled.kind === 'other-request') {
    throw new PartnerError(
      409,
      'idempotency_key_used',
      `Another request of this installation had this ${HEADER}, so this one was not done: send it with a key of its own.`,
    )
  }
  await next()
  const { status } = c.res
  if (status >= 500 || (c.error instanceof PartnerError && c.error.passing)) return undefined
  // Where this fails the caller is not answered either, and sends the request again.
  await c.var.store.rememberAnswer(request, { status, body: await c.res.clone().text() })
})

/** What names the request: the same for the same request, where Vercel sends a key. */
export function requestName(c: Context): string {
  return c.req.header(HEADER) ?? randomUUID()
}

function replay(c: Context, { status, body }: StoredAnswer): Response {
  c.header('Idempotency-Replayed', 'true')
  if (body === '') return c.body(null, status as ContentfulStatusCode)
  return c.body(body, status as ContentfulStatusCode, { 'Content-Type': 'application/json' })
}
