import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Acceptance, VercelEvent } from '../domain/vercel-event.ts'
import { httpCallbackRoutes } from '../drivers/http/callback-route.ts'
import type { HttpDriver } from '../drivers/http/driver.ts'
import type { Log } from '../log.ts'
import type { partnerApp } from '../partner/partner-app.ts'
import { webhookRoutes } from '../webhook/receive.ts'

export interface AppSettings {
  readonly secrets: readonly string[]
  /** Accepts an event durably, or throws. */
  readonly accept: (event: VercelEvent) => Promise<Acceptance>
  /** Answers why webhooks cannot be processed now, undefined when they can. */
  readonly unready: () => Promise<string | undefined>
  /** Those that wait for callbacks of their providers. */
  readonly httpDrivers?: readonly HttpDriver[]
  /** What Vercel calls for a customer, where there is an installation store. */
  readonly partner?: ReturnType<typeof partnerApp> | undefined
  readonly log: Log
}

/** The HTTP side of Holdpoint: Vercel's webhooks, and two pages for whoever watches the process. */
export function createApp({
  secrets,
  accept,
  unready,
  httpDrivers = [],
  partner,
  log,
}: AppSettings): Hono {
  const app = new Hono()
  app.route('/webhooks/vercel', webhookRoutes({ secrets, accept, log }))
  if (httpDrivers.length > 0) app.route('/drivers/http/callback', httpCallbackRoutes(httpDrivers))
  if (partner) app.route('/', partner)
  app.get('/healthz', (c) => c.json({ status: 'alive' }))
  app.get('/readyz', async (c) => {
    const reason = await unready()
    if (reason === undefined) return c.json({ status: 'ready' })
    c.header('Retry-After', '2')
    return c.json({ error: { code: 'not_ready', message: reason } }, 503)
  })
  app.notFound((c) =>
    c.json(
      {
        error: {
          code: 'not_found',
          message: `There is nothing at ${c.req.method} ${c.req.path}. Webhooks come in at POST /webhooks/vercel.`,
        },
      },
      404,
    ),
  )
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      return c.json({ error: { code: 'bad_request', message: error.message } }, error.status)
    }
    log.error('http.unforeseen_error', { method: c.req.method, path: c.req.path, error })
    return c.json(
      { error: { code: 'internal', message: 'The request met an internal error: send it again.' } },
      500,
    )
  })
  return app
}
