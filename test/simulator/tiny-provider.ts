import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { onTestFinished } from 'vitest'
import type { ResourceStatus, Simulator } from '../../src/simulator/index.ts'

export const PLAN = {
  id: 'free',
  type: 'subscription' as const,
  name: 'Free',
  description: 'For trying out',
}

interface ProviderResource {
  installationId: string
  id: string
  productId: string
  name: string
  metadata: Record<string, unknown>
  status: ResourceStatus
  billingPlan: typeof PLAN
  password: number
}

interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly key: string | undefined
  readonly kind: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
  readonly body: any // oxlint-disable-line typescript/no-explicit-any -- whatever came, for assertions
}

/** A provider that is right in all it answers, unless a test answers in its place. Ends with the test. */
export async function startTinyProvider(vercel: Simulator) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks', vercel.url))
  const tokens = new Map<string, string>()
  const resources = new Map<string, ProviderResource>()
  const claims = new Map<string, readonly string[]>()
  const seen: SeenRequest[] = []
  const answered = new Map<string, string>()
  let made = 0

  const app = new Hono()
  app.use(async (c, next) => {
    const token = c.req.header('authorization')?.slice('Bearer '.length) ?? ''
    const { payload } = await jwtVerify(token, keys, { issuer: vercel.url, audience: 'oac_local' })
    const text = await c.req.text()
    const request: SeenRequest = {
      method: c.req.method,
      path: new URL(c.req.url).pathname,
      key: c.req.header('idempotency-key'),
      kind: c.req.header('x-vercel-auth'),
      claims: payload,
      body: text === '' ? undefined : JSON.parse(text),
    }
    seen.push(request)
    const named = /^\/v1\/installations\/([^/]+)/.exec(c.req.path)?.[1]
    if (named !== undefined && named !== payload['installation_id'])
      return refuse(c, 403, 'Another installation')
    const wrong = provider.answer?.(request)
    if (wrong) return wrong
    return next()
  })

  // What has the same key is done once: the second time the first answer is given again.
  function doOnce(c: Context, make: () => object): Response {
    const key = `${c.req.path} ${c.req.header('idempotency-key')}`
    const answer = answered.get(key) ?? JSON.stringify(make())
    answered.set(key, answer)
    return c.json(JSON.parse(answer))
  }

  app.put('/v1/installations/:id', async (c) => {
    tokens.set(c.req.param('id'), (await c.req.json()).credentials.access_token)
    return c.body(null, 204)
  })
  app.get('/v1/installations/:id', (c) => c.json({ billingPlan: PLAN }))
  app.delete('/v1/installations/:id', (c) => c.json({ finalized: true }))
  for (const path of [
    '/v1/products/:slug/plans',
    '/v1/installations/:id/plans',
    '/v1/installations/:id/resources/:resourceId/plans',
  ])
    app.get(path, (c) => c.json({ plans: [PLAN] }))

  app.post('/v1/installations/:id/resources', async (c) => {
    const { productId, name, metadata } = await c.req.json()
    return doOnce(c, () => {
      made += 1
      const resource: ProviderResource = {
        installationId: c.req.param('id'),
        id: `db/${made}`,
        productId,
        name,
        metadata,
        status: provider.later ? 'pending' : 'ready',
        billingPlan: PLAN,
        password: 1,
      }
      resources.set(resource.id, resource)
      return { ...view(resource), secrets: provider.later ? [] : secretsOf(resource) }
    })
  })
  const one = '/v1/installations/:id/resources/:resourceId'
  app.get(one, (c) => onResource(c, (resource) => c.json(view(resource))))
  app.patch(one, async (c) => {
    const { name, metadata } = await c.req.json()
    return onResource(c, (resource) => {
      Object.assign(resource, name && { name }, metadata && { metadata })
      return c.json(view(resource))
    })
  })
  app.delete(one, (c) => {
    resources.delete(c.req.param('resourceId'))
    return c.body(null, 204)
  })
  app.post(`${one}/secrets/rotate`, (c) =>
    onResource(c, (resource) => {
      if (provider.later) return c.json({ sync: false }, 202)
      return doOnce(c, () => {
        resource.password += 1
        return { sync: true, secrets: secretsOf(resource) }
      })
    }),
  )
  const transfers = '/v1/installations/:id/resource-transfer-requests'
  app.post(transfers, async (c) => {
    const { resourceIds } = await c.req.json()
    return doOnce(c, () => {
      const providerClaimId = `claim ${claims.size + 1}`
      claims.set(providerClaimId, resourceIds)
      return { providerClaimId }
    })
  })
  app.get(`${transfers}/:claim/verify`, (c) =>
    claims.has(c.req.param('claim')) ? c.json({ valid: true }) : refuse(c, 404, 'No such claim'),
  )
  app.post(`${transfers}/:claim/accept`, async (c) => {
    for (const id of claims.get(c.req.param('claim')) ?? [])
      resources.get(id)!.installationId = c.req.param('id')
    return (await c.req.text()) === '' ? c.body(null, 204) : c.json({ success: true })
  })

  function onResource(c: Context, answer: (resource: ProviderResource) => Response): Response {
    const resource = resources.get(c.req.param('resourceId') ?? '')
    return resource && resource.installationId === c.req.param('id')
      ? answer(resource)
      : refuse(c, 404, 'No such resource')
  }

  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server = createServer((request, response) => void listener(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })

  const provider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Whether what is asked for is done later than the answer. */
    later: false,
    /** Answers in the provider's place where it answers at all. */
    answer: undefined as ((request: SeenRequest) => Response | undefined) | undefined,
    seen,
    resources,
    /** Tells Vercel something of an installation, with the token that came with it. */
    async tell(installationId: string, method: string, path: string, body?: unknown) {
      const response = await fetch(`${vercel.url}/v1/installations/${installationId}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${tokens.get(installationId)}`,
          'content-type': 'application/json',
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    },
    setToken: (installationId: string, token: string) => tokens.set(installationId, token),
  }
  vercel.partnerUrl = provider.url
  return provider
}

function view(resource: ProviderResource) {
  const { installationId: _, password: __, ...shown } = resource
  return shown
}

function secretsOf({ id, password }: ProviderResource) {
  return [
    {
      name: 'DATABASE_URL',
      value: `postgres://${id}:${password}@example`,
      environmentOverrides: { production: `postgres://${id}:${password}@production` },
    },
  ]
}

function refuse(c: Context, status: 403 | 404, message: string): Response {
  return c.json(
    { error: { code: 'refused', message, user: { message: `${message}, sorry` } } },
    status,
  )
}
