import { describe, expect, test } from 'vitest'
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
      const answer = await fetch(`${vercel.url}/simulator/deployments`, {
        method: 'POST',
        headers,
        body,
      })
      expect(answer.status).toBe(403)
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
