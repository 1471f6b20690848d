import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { ActionFailure } from '../domain/failure.ts'
import type { Log } from '../log.ts'
import { type InstallationDoor, installationRoutes } from './installation-routes.ts'
import { answerPartnerError, PartnerError } from './partner-error.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { planRoutes } from './plan-routes.ts'
import type { ResourceDoor } from './resource-door.ts'
import { resourceRoutes } from './resource-routes.ts'
import { rotationRoutes } from './rotation-routes.ts'
import { transferRoutes } from './transfer-routes.ts'
import type { VerifyOidc } from './verify-oidc.ts'

export interface PartnerDoor extends InstallationDoor {
  /** What the routes of resources, plans and transfers need; without it there are none. */
  readonly resources?: ResourceDoor | undefined
  readonly verify: VerifyOidc
  /** Whether what the routes need is there. */
  readonly ready: () => boolean
  readonly log: Log
}

/** Vercel's own requests are a few kilobytes. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * The API that Vercel calls for a customer: `/v1/…`, described at `/partner/openapi.json`. Every route asks for an
 * OIDC token of Vercel, and touches the installation of that token alone.
 */
export function partnerApp({
  verify,
  ready,
  log,
  resources,
  ...door
}: PartnerDoor): OpenAPIHono<PartnerEnvironment> {
  const app = new OpenAPIHono<PartnerEnvironment>()
  app.use('/v1/*', async (c, next) => {
    if (!ready()) {
      throw new PartnerError(
        503,
        'not_ready',
        'The service is starting, so nothing was done: send the request again.',
      )
    }
    c.set('verify', verify)
    c.set('store', door.store)
    await next()
  })
  app.use(
    '/v1/*',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) =>
        answerPartnerError(
          c,
          new PartnerError(
            413,
            'body_too_large',
            `The body is over ${MAX_BODY_BYTES} bytes, so it was not read: send less.`,
          ),
        ),
    }),
  )
  app.route('/', installationRoutes({ ...door, products: resources?.products }))
  if (resources) {
    app.route('/', planRoutes(resources))
    app.route('/', resourceRoutes(resources))
    app.route('/', rotationRoutes(resources))
    app.route('/', transferRoutes(resources))
  }
  app.openAPIRegistry.registerComponent('securitySchemes', 'oidc', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An OIDC token of Vercel, for this integration',
  })
  app.doc31('/partner/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Partner API of Holdpoint', version: '1' },
  })
  app.onError((error, c) => {
    if (error instanceof PartnerError) {
      log.warn('partner.refused', {
        method: c.req.method,
        route: c.req.routePath,
        code: error.code,
      })
      return answerPartnerError(c, error)
    }
    if (error instanceof HTTPException) {
      return answerPartnerError(
        c,
        new PartnerError(
          400,
          'bad_request',
          'The body is not JSON, so nothing was done: send JSON.',
        ),
      )
    }
    log.error('partner.failed', { method: c.req.method, route: c.req.routePath, error })
    const retryable = error instanceof ActionFailure && error.retryable
    return answerPartnerError(
      c,
      new PartnerError(
        retryable ? 503 : 500,
        retryable ? 'unavailable' : 'internal',
        'The request met an error of the provider, and may not be done: send it again.',
      ),
    )
  })
  return app
}
