import { describe, expect, test } from 'vitest'
import { startTinyProvider } from './tiny-provider.ts'
import { succeeded, vercelForTest } from './vercel-for-test.ts'

const JSON_HEADERS = { 'content-type': 'application/json' }

describe('the page', () => {
  test('shows deployments, what their actions say, and the names of variables without a value', async () => {
    const { vercel, project, update, request, webhooks } = await vercelForTest()
    const deployment = vercel.deploy(project, { gitBranch: '<script>alert(1)</script>' })
    await update(deployment, { status: 'running', statusText: 'Copying <db-42>' })
    await update(deployment, {
      ...succeeded({ DATABASE_URL: 'postgres://the-secret' }),
      statusUrl: 'https://example.com/runs/1',
    })
    await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    await webhooks('start', 1)
    const page = await getPage(vercel.url)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    for (const shown of [
      deployment.id,
      '&lt;script&gt;alert(1)&lt;/script&gt;',
      'Copying &lt;db-42&gt;',
      '<a href="https://example.com/runs/1"',
      'class="succeeded"',
      'DATABASE_URL=••••••',
      'deployment.integration.action.start',
      'PATCH succeeded',
      'db-42 branch',
      `action="/simulator/deployments/${deployment.id}/delete"`,
    ])
      expect(page.text).toContain(shown)
    for (const hidden of ['the-secret', 'shared', '<script>alert', 'http://127.0.0.1/'])
      expect(page.text).not.toContain(hidden)
    expect(page.text).not.toContain(`/${deployment.id}/cancel`)
    expect((await request('/simulator/deployments')).text).not.toContain('the-secret')
  })

  test('deploys, skips, cancels and deletes by its own forms', async () => {
    const { vercel } = await vercelForTest()
    const post = (path: string, form: Record<string, string> = {}) =>
      fetch(vercel.url + path, {
        method: 'POST',
        headers: { origin: vercel.url },
        body: new URLSearchParams(form),
        redirect: 'manual',
      })
    const form = { project: 'shop', environment: 'preview', gitBranch: 'feature/login' }
    const answer = await post('/simulator/deployments', form)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
    const [deployment] = vercel.deployments()
    if (!deployment) throw new Error('Nothing was deployed')
    expect(deployment).toMatchObject({ gitBranch: 'feature/login', readyState: 'QUEUED' })
    expect((await getPage(vercel.url)).text).toContain(`/${deployment.id}/cancel`)
    await post(`/simulator/deployments/${deployment.id}/skip`)
    expect(vercel.deployment(deployment.id).integrations?.status).toBe('skipped')
    await post(`/simulator/deployments/${deployment.id}/cancel`)
    expect(vercel.deployment(deployment.id).readyState).toBe('CANCELED')
    await post(`/simulator/deployments/${deployment.id}/delete`)
    expect(vercel.deployment(deployment.id).deletedAt).toBeDefined()
    expect((await getPage(vercel.url)).text).toContain('DELETED')
  })

  test('refuses forms from other sites', async () => {
    const { vercel } = await vercelForTest()
    for (const headers of [{ origin: 'https://evil.example' }, {}] as Record<string, string>[]) {
      const body = new URLSearchParams({ project: 'shop' })
      for (const path of ['/simulator/deployments', '/simulator/installations']) {
        const answer = await fetch(vercel.url + path, { method: 'POST', headers, body })
        expect(answer.status).toBe(403)
      }
    }
    expect(vercel.deployments()).toEqual([])
  })
})

describe('the control routes', () => {
  test('take and answer JSON', async () => {
    const { vercel, request } = await vercelForTest()
    const post = (path: string, body: unknown = {}) =>
      request(path, { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) })
    const created = await post('/simulator/deployments', { project: 'shop' })
    expect(created).toMatchObject({
      status: 201,
      body: { environment: 'preview', source: 'cli', env: ['DATABASE_URL', 'REGION'] },
    })
    const path = `/simulator/deployments/${created.body.id}`
    expect((await request(path)).body.readyState).toBe('QUEUED')
    expect(await post(`${path}/cancel`)).toMatchObject({
      status: 200,
      body: { readyState: 'CANCELED' },
    })
    expect(await post(`${path}/cancel`)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('is CANCELED') } },
    })
    expect(await post('/simulator/deployments', { project: 'x' })).toMatchObject({ status: 404 })
    expect(await post('/simulator/deployments', { projct: 'x' })).toMatchObject({ status: 400 })
    expect(await post('/simulator/deployments/dpl_x/skip')).toMatchObject({ status: 404 })
    expect(vercel.deployments()).toHaveLength(1)
  })
})

async function getPage(url: string) {
  const response = await fetch(url)
  return { headers: response.headers, text: await response.text() }
}

describe('the control routes of resources', () => {
  async function customer() {
    const environment = await vercelForTest({ products: ['postgres'] })
    const provider = await startTinyProvider(environment.vercel)
    const post = (path: string, body: unknown = {}) =>
      environment.request(path, {
        method: 'POST',
        headers: JSON_HEADERS,
        body: JSON.stringify(body),
      })
    const installed = await post('/simulator/installations')
    const path = `/simulator/installations/${installed.body.id}`
    return { ...environment, provider, post, installed, path }
  }

  test('install, provision, change, rotate, connect, disconnect, delete and uninstall', async () => {
    const { vercel, request, post, installed, path } = await customer()
    expect(installed).toMatchObject({ status: 201, body: { resources: [], enabled: true } })
    const metadata = { region: 'eu' }
    const provisioned = await post(`${path}/resources`, { name: 'orders', metadata })
    expect(provisioned).toMatchObject({
      status: 201,
      body: { id: 'db/1', productId: 'postgres', metadata, env: ['DATABASE_URL'] },
    })
    const resource = `${path}/resources/db%2F1`
    expect(await post(`${resource}/update`, { name: 'sales' })).toMatchObject({
      status: 200,
      body: { name: 'sales' },
    })
    expect(
      await post(`${resource}/rotate`, { reason: 'leak', delayOldSecretsExpirationHours: 1 }),
    ).toMatchObject({ status: 200, body: { env: ['DATABASE_URL'] } })
    expect(vercel.resources()[0]?.env).toEqual({ DATABASE_URL: 'postgres://db/1:2@example' })
    const listed = await request('/simulator/installations')
    expect(listed.body.installations).toMatchObject([{}, { resources: [{ name: 'sales' }] }])
    expect(listed.text).not.toContain('postgres://')
    const connected = { resourceId: 'db/1' }
    expect(await post('/simulator/projects/shop/connect', connected)).toMatchObject({ status: 200 })
    expect(await post('/simulator/projects/shop/connect', connected)).toMatchObject({ status: 409 })
    expect(await post('/simulator/projects/shop/disconnect', connected)).toMatchObject({
      status: 200,
      body: { connections: [{ resourceId: 'db-42' }] },
    })
    expect(await post('/simulator/projects/none/connect', connected)).toMatchObject({ status: 404 })
    expect(await post(`${resource}/delete`)).toMatchObject({ status: 200 })
    expect(await post(`${resource}/delete`)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('has no resource db/1') } },
    })
    expect(await post(`${path}/uninstall`)).toMatchObject({
      status: 200,
      body: { finalized: true },
    })
    expect(vercel.installations).toEqual([vercel.installation])
  })

  test('answer what the provider refuses or gets wrong, and what is not asked properly', async () => {
    const { vercel, provider, post, path } = await customer()
    const resources = `${path}/resources`
    provider.answer = () =>
      Response.json(
        { error: { code: 'quota', message: 'Quota', user: { message: 'Ask for more' } } },
        { status: 403 },
      )
    expect(await post(resources, { name: 'x' })).toMatchObject({
      status: 409,
      body: { error: { message: 'Ask for more' } },
    })
    provider.answer = () => Response.json({})
    expect(await post(resources, { name: 'x' })).toMatchObject({
      status: 502,
      body: { error: { message: expect.stringContaining('at secrets') } },
    })
    for (const [request, field] of [
      [{}, 'name'],
      [{ name: 'x', metadata: 'no JSON' }, 'metadata'],
      [{ name: 'x', plan: 'free' }, 'plan'],
    ] as const)
      expect(await post(resources, request)).toMatchObject({
        status: 400,
        body: { error: { message: expect.stringContaining(field) } },
      })
    expect(await post(resources, { name: 'x', product: 'redis' })).toMatchObject({
      status: 409,
      body: { error: { message: 'There is no product redis; there are: postgres' } },
    })
    expect(vercel.resources()).toEqual([])
  })

  test('serve the forms of the page, which are there once the provider has an address', async () => {
    const { vercel, provider, path } = await customer()
    const form = new URLSearchParams({
      product: 'postgres',
      name: '<orders>',
      billingPlanId: '',
      metadata: '',
    })
    const answer = await fetch(`${vercel.url}${path}/resources`, {
      method: 'POST',
      headers: { origin: vercel.url },
      body: form,
      redirect: 'manual',
    })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
    expect(provider.seen.at(-1)?.body).toEqual({
      productId: 'postgres',
      name: '<orders>',
      metadata: {},
    })
    const { text } = await getPage(vercel.url)
    for (const shown of [
      `action="${path}/resources"`,
      `action="${path}/resources/db%2F1/rotate"`,
      `action="${path}/resources/db%2F1/delete"`,
      '&lt;orders&gt;',
      'to the provider: POST',
    ])
      expect(text).toContain(shown)
    for (const hidden of ['<orders>', 'postgres://']) expect(text).not.toContain(hidden)
    vercel.partnerUrl = undefined
    expect((await getPage(vercel.url)).text).not.toContain('action="/simulator/installations')
  })
})
