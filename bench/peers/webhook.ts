import { createHmac, timingSafeEqual } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

/** The identity of an action, as its webhook carries it. */
export interface Action {
  readonly installationId: string
  readonly resourceId: string
  readonly deploymentId: string
  readonly action: string
}

/** Takes webhooks as a small service would: verifies, parses, hands over, answers 200. Listens on `PORT`. */
export function takeWebhooks(accept: (action: Action) => Promise<void>): void {
  const secret = process.env['INTEGRATION_CLIENT_SECRET'] ?? ''
  const app = new Hono()
  app.get('/readyz', (c) => c.json({ status: 'ready' }))
  app.post('/webhooks/vercel', async (c) => {
    const body = Buffer.from(await c.req.arrayBuffer())
    const given = Buffer.from(c.req.header('x-vercel-signature') ?? '', 'hex')
    const expected = createHmac('sha1', secret).update(body).digest()
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return c.json({ error: 'invalid_signature' }, 401)
    }
    const { payload } = JSON.parse(body.toString()) as { payload: Payload }
    const { installationId, resourceId, action, deployment } = payload
    await accept({ installationId, resourceId, action, deploymentId: deployment.id })
    return c.json({ status: 'accepted' })
  })
  serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env['PORT']) })
}

type Payload = Omit<Action, 'deploymentId'> & { readonly deployment: { readonly id: string } }
