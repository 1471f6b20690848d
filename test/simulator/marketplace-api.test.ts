import { expect, test } from 'vitest'
import { startTinyProvider } from './tiny-provider.ts'
import { CLIENT_SECRET, vercelForTest } from './vercel-for-test.ts'

async function provisioned(options: Parameters<typeof vercelForTest>[0] = {}) {
  const environment = await vercelForTest({ products: ['postgres'], ...options })
  const { vercel } = environment
  const provider = await startTinyProvider(vercel)
  const installation = await vercel.install()
  const resource = await vercel.provision(installation, {
    name: 'orders',
    metadata: { region: 'eu' },
  })
  return {
    ...environment,
    provider,
    installation,
    resource,
    tell: (method: string, path: string, body?: unknown) =>
      provider.tell(installation.id, method, path, body),
  }
}

const RESOURCE = '/resources/db%2F1'
const ROUTES: [string, string, unknown][] = [
  ['PATCH', '', {}],
  ['GET', '/account', undefined],
  ['POST', '/events', { event: { type: 'installation.updated' } }],
  ['POST', '/credentials/rotate', { clientSecret: CLIENT_SECRET }],
  ['GET', '/resources', undefined],
  ['GET', RESOURCE, undefined],
  ['PATCH', RESOURCE, { name: 'taken' }],
  ['DELETE', RESOURCE, undefined],
  ['PUT', `${RESOURCE}/secrets`, { secrets: [] }],
]

test('every route is for the token of its own installation, and for its own resources', async () => {
  const { vercel, provider, installation, resource, tell, request } = await provisioned()
  const other = vercel.createInstallation({ accessToken: 'foreign' })
  provider.setToken(other.id, 'foreign')
  const before = { ...installation }
  for (const [method, path, body] of ROUTES) {
    const route = `${method} …${path}`
    provider.setToken(installation.id, 'foreign')
    const refused = await tell(method, path, body)
    expect(refused, route).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } })
    provider.setToken(installation.id, 'unknown')
    expect((await tell(method, path, body)).status, route).toBe(403)
    const bare = await request(`/v1/installations/${installation.id}${path}`, {
      method,
      headers: { authorization: '', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    expect(bare.status, route).toBe(401)
    if (path.startsWith(RESOURCE))
      expect((await provider.tell(other.id, method, path, body)).status, route).toBe(404)
  }
  expect(vercel.resources()).toEqual([resource])
  expect(installation).toEqual(before)
})

test('an installation is changed, and its account is told', async () => {
  const { installation, tell } = await provisioned()
  const notification = { level: 'warn', title: 'Quota reached', href: 'sso:billing' }
  const plan = { id: 'pro', type: 'subscription', name: 'Pro' }
  expect(
    await tell('PATCH', '', {
      status: 'suspended',
      externalId: 'x',
      notification,
      billingPlan: plan,
    }),
  ).toEqual({ status: 204, body: undefined })
  expect(installation).toMatchObject({
    status: 'suspended',
    externalId: 'x',
    notification,
    billingPlanId: 'pro',
  })
  await tell('PATCH', '', { notification: null })
  expect(installation).not.toHaveProperty('notification')
  expect((await tell('GET', '/account')).body).toEqual({
    name: installation.teamSlug,
    url: `https://vercel.com/${installation.teamSlug}`,
    contact: { email: expect.any(String), name: expect.any(String) },
  })
})

test('a resource is read with its metadata and the options of its connections, and changed', async () => {
  const { vercel, installation, resource, tell } = await provisioned()
  const actions = { branch: { environments: ['preview'], options: { rows: 5 } } }
  vercel.createProject({
    name: 'store',
    installation,
    resources: [{ resourceId: resource.id, actions }, { resourceId: 'db-42' }],
  })
  const read = async () => (await tell('GET', RESOURCE)).body
  expect(await read()).toEqual({
    id: 'db/1',
    internalId: expect.any(String),
    name: 'orders',
    status: 'ready',
    productId: 'postgres',
    billingPlanId: 'free',
    metadata: { region: 'eu', rows: 5 },
  })
  expect((await tell('GET', '/resources')).body.resources).toMatchObject([
    { id: 'db/1', name: 'orders' },
    { id: 'db-42', name: 'db-42' },
  ])
  const update = {
    name: 'sales',
    status: 'suspended',
    metadata: { region: 'us' },
    notification: { level: 'error', title: 'Suspended' },
    ownership: 'owned',
    extras: { any: 1 },
    secrets: { secrets: [{ name: 'POOL_URL', value: 'pool' }], partial: true },
  }
  expect(await tell('PATCH', RESOURCE, update)).toEqual({ status: 200, body: { name: 'sales' } })
  expect(await read()).toMatchObject({
    name: 'sales',
    status: 'suspended',
    metadata: { region: 'us', rows: 5 },
    notification: { title: 'Suspended' },
  })
  expect(Object.keys(vercel.resource(resource).env)).toEqual(['DATABASE_URL', 'POOL_URL'])
  await tell('PATCH', RESOURCE, { notification: null })
  expect(await read()).not.toHaveProperty('notification')
  // Only a connection names it, so there is nothing to change.
  expect((await tell('PATCH', '/resources/db-42', {})).status).toBe(404)
})

const BAD_REQUESTS: [string, string, unknown, string][] = [
  ['PATCH', '', { state: 'ready' }, 'state'],
  ['PATCH', '', { status: 'fine' }, 'status'],
  ['PATCH', '', { billingPlan: { id: 'pro' } }, 'billingPlan.type'],
  ['PATCH', '', { notification: { level: 'info', title: 'x'.repeat(101) } }, 'notification.title'],
  ['POST', '/events', { type: 'installation.updated' }, 'event'],
  ['POST', '/events', { event: { type: 'resource.deleted' } }, 'event.type'],
  ['POST', '/events', { event: { type: 'resource.updated' } }, 'event.resourceId'],
  ['POST', '/credentials/rotate', {}, 'clientSecret'],
  ['PATCH', RESOURCE, { name: '' }, 'name'],
  ['PATCH', RESOURCE, { id: 'x' }, 'id'],
  ['PATCH', RESOURCE, { secrets: [{ name: 'A' }] }, 'secrets.secrets[0].value'],
  ['PATCH', RESOURCE, { secrets: [{ name: 'TZ', value: 'the-secret' }] }, 'secrets[0].name'],
  ['PUT', `${RESOURCE}/secrets`, [], 'body'],
  ['PUT', `${RESOURCE}/secrets`, { secrets: [{ name: 'A', value: '' }] }, 'secrets[0].value'],
  ['PUT', `${RESOURCE}/secrets`, { secrets: [], sync: true }, 'sync'],
  [
    'PUT',
    `${RESOURCE}/secrets`,
    { secrets: [{ name: 'A', value: 'the-secret', type: 'x' }] },
    'secrets[0].type',
  ],
]

test('a body that is not as documented is refused, names the field and changes nothing', async () => {
  const { vercel, installation, resource, tell } = await provisioned()
  const before = { ...installation }
  for (const [method, path, body, field] of BAD_REQUESTS) {
    const answer = await tell(method, path, body)
    expect(answer, `${method} …${path} ${field}`).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', message: expect.stringContaining(field) } },
    })
    expect(JSON.stringify(answer)).not.toContain('the-secret')
  }
  expect(vercel.resources()).toEqual([resource])
  expect(installation).toEqual(before)
})

test('what the provider says has changed is read again', async () => {
  const { vercel, provider, installation, resource, tell } = await provisioned()
  provider.resources.get('db/1')!.name = 'renamed elsewhere'
  const renamed = vercel.untilResource(resource, ({ name }) => name === 'renamed elsewhere')
  const event = { type: 'resource.updated', resourceId: 'db/1', productId: 'postgres' }
  expect(await tell('POST', '/events', { event })).toEqual({ status: 201, body: undefined })
  expect((await renamed).env).toEqual(resource.env)
  const unknown = { type: 'resource.updated', resourceId: 'db/2' }
  expect((await tell('POST', '/events', { event: unknown })).status).toBe(404)
  provider.answer = ({ method }) =>
    method === 'GET' ? Response.json({ billingPlan: { id: 'pro' } }) : undefined
  await tell('POST', '/events', { event: { type: 'installation.updated' } })
  await expect.poll(() => installation.billingPlanId).toBe('pro')
  // A wrong answer is seen in the records.
  await tell('POST', '/events', { event })
  await vercel.untilEvent(
    (seen) => seen.kind === 'partner' && seen.error?.includes('at id') === true,
  )
})

test('the access token is replaced at run time, for who knows the client secret', async () => {
  const { provider, installation, tell } = await provisioned()
  const old = installation.accessToken
  expect((await tell('POST', '/credentials/rotate', { clientSecret: 'guess' })).status).toBe(403)
  expect(installation.accessToken).toBe(old)
  const rotated = await tell('POST', '/credentials/rotate', { clientSecret: CLIENT_SECRET })
  expect(rotated).toMatchObject({
    status: 200,
    body: { accessToken: installation.accessToken, tokenType: 'Bearer', scope: expect.any(String) },
  })
  expect(installation.accessToken).not.toBe(old)
  expect((await tell('GET', '/resources')).status).toBe(403)
  provider.setToken(installation.id, rotated.body.accessToken)
  expect((await tell('GET', '/resources')).status).toBe(200)
})

test('every request is in the records, and faults are played for each', async () => {
  const { vercel, resource, tell } = await provisioned()
  vercel.dials.failNext.push(
    { match: { kind: 'resource', method: 'PUT' }, answer: { status: 503 } },
    { match: { kind: 'installation' }, answer: { status: 429 } },
  )
  const body = { secrets: [{ name: 'A', value: 'the-secret' }] }
  expect((await tell('PUT', `${RESOURCE}/secrets`, body)).status).toBe(503)
  expect((await tell('GET', '/account')).status).toBe(429)
  expect(vercel.resources()).toEqual([resource])
  await tell('PUT', `${RESOURCE}/secrets`, body)
  const path = `/v1/installations/${resource.installationId}`
  expect(vercel.records.filter(({ kind }) => kind === 'request')).toMatchObject([
    { method: 'PUT', path: `${path}${RESOURCE}/secrets`, status: 503, body },
    { method: 'GET', path: `${path}/account`, status: 429 },
    { method: 'PUT', path: `${path}${RESOURCE}/secrets`, status: 201, body },
  ])
  const page = await (await fetch(vercel.url)).text()
  expect(page).toContain('from the provider: PUT')
  expect(page).not.toContain('the-secret')
})
