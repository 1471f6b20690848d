import type { Context, Next } from 'hono'
import { answerError } from './answer-error.ts'
import { createRequestCounter, type RateReading } from './count-requests.ts'
import type { Dials } from './dials.ts'
import type { ApiEnvironment } from './observe-request.ts'
import type { Installation } from './project.ts'

/** Lets a request through when its token is an installation's, its team the token's, and its rate within the limit. */
export function authorizeRequests({
  installations,
  dials,
  now,
}: {
  readonly installations: readonly Installation[]
  readonly dials: Dials
  readonly now: () => number
}) {
  const countUpdate = createRequestCounter(now)
  const countRead = createRequestCounter(now)

  return async function authorizeRequest(c: Context<ApiEnvironment>, next: Next) {
    const token = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (token === undefined)
      return answerError(c, 401, {
        code: 'forbidden',
        message: 'The request is missing an authentication token',
        missingToken: true,
      })
    const installation = installations.find(({ accessToken }) => accessToken === token)
    if (!installation)
      return answerError(c, dials.invalidToken, {
        code: 'forbidden',
        message: 'Not authorized',
        invalidToken: true,
      })
    if (!installation.enabled)
      return answerError(c, 403, {
        code: 'integration_configuration_disabled',
        message: `The installation ${installation.id} is disabled`,
      })
    const { teamId, slug } = c.req.query()
    if ((teamId ?? installation.teamId) !== installation.teamId || !isTeamSlug(slug, installation))
      return answerError(c, 403, { code: 'forbidden', message: 'Not authorized for this team' })
    const counted = dials.limitPer === 'token' ? token : 'integration'
    const reading =
      c.req.method === 'PATCH' && c.req.path.includes('/actions/')
        ? countUpdate(counted, dials.updateLimit)
        : countRead(counted, dials.readLimit)
    if (reading.exceeded) return answerTooMany(c, reading, dials, now())
    c.set('installation', installation)
    await next()
    return undefined
  }
}

function isTeamSlug(slug: string | undefined, installation: Installation): boolean {
  return slug === undefined || slug === installation.teamSlug
}

function answerTooMany(
  c: Context<ApiEnvironment>,
  { total, remaining, resetMs }: RateReading,
  dials: Dials,
  now: number,
): Response {
  const reset = Math.ceil(resetMs / 1_000)
  c.header('X-RateLimit-Limit', String(total))
  c.header('X-RateLimit-Remaining', String(remaining))
  c.header('X-RateLimit-Reset', String(reset))
  if (dials.retryAfter === 'seconds')
    c.header('Retry-After', String(Math.max(1, Math.ceil((resetMs - now) / 1_000))))
  if (dials.retryAfter === 'date') c.header('Retry-After', new Date(reset * 1_000).toUTCString())
  return answerError(c, 429, {
    code: 'rate_limited',
    message: `Too many requests: more than ${total} in the current window`,
    limit: { total, remaining, reset, resetMs },
  })
}
