import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { dropEmptyBody } from './drop-empty-body.ts'
import { answerOnce } from './idempotency.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { errorSchema } from './partner-error.ts'
import { admit, type CallerKind } from './verify-oidc.ts'

/**
 * What a route is made with: open to these callers, each within its own installation, before anything else is looked
 * at; and what it changes is done once for requests with the same `Idempotency-Key`.
 */
export function lockedFor(...callers: readonly CallerKind[]) {
  return { security: [{ oidc: [] }], middleware: [lock(callers), dropEmptyBody, answerOnce] }
}

function lock(callers: readonly CallerKind[]): MiddlewareHandler<PartnerEnvironment> {
  return createMiddleware<PartnerEnvironment>(async (c, next) => {
    const caller = await c.var.verify({
      authorization: c.req.header('authorization'),
      vercelAuth: c.req.header('x-vercel-auth'),
    })
    admit(caller, { callers, installationId: c.req.param('installationId') })
    await next()
  })
}

const problem = (description: string) => ({
  description,
  content: { 'application/json': { schema: errorSchema } },
})

/** The answers of any route that does not do what it was asked. */
export const refusals = {
  400: problem('A field is missing or wrong'),
  401: problem('The token proves nothing'),
  403: problem('The token is not for this route or installation'),
  404: problem('It is not known'),
  409: problem('It is refused as things stand'),
  503: problem('It could not be done now, and was not'),
}
