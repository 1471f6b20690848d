import { describe, expect, test } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/index.ts'
import { PRODUCT, vercelForTest } from './vercel-for-test.ts'

/** A local Vercel with the events of deployments, and a preview whose build waits for its action. */
async function checksForTest(options: Partial<SimulatorOptions> = {}) {
  const product = { ...PRODUCT, deploymentEvents: true }
  const base = await vercelForTest({ product, ...options })
  const { vercel, project, request, patch, update } = base
  const deployment = vercel.deploy(project, { gitBranch: 'feature/x' })
  const { id } = deployment
  const path = `/v1/deployments/${id}/checks`
  const post = (at: string, body: unknown, token?: string) =>
    request(
      at,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
      token,
    )
  return {
    ...base,
    id,
    path,
    post,
    now: () => vercel.deployment(id),
    create: (body: object = {}) => post(path, { name: 'Smoke', blocking: true, ...body }),
    patchCheck: (checkId: string, body: unknown) => patch(`${path}/${checkId}`, body),
    /** Lets the build go, and answers once it is done. */
    build: async () => {
      await update(deployment, { status: 'succeeded' })
      return await vercel.until(id, ({ readyState }) => readyState === 'READY')
    },
    events: (type: string) =>
      base.received.filter(({ event }) => event.type === type).map(({ event }) => event.payload),
  }
}

describe('a check of a deployment', () => {
  test('is created, read, run and completed', async () => {
    const { vercel, id, path, request, create, patchCheck, now } = await checksForTest()
    const { status, body } = await create({
      path: '/',
      externalId: 'ours',
      detailsUrl: 'https://example.com',
      rerequestable: true,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'Smoke',
      path: '/',
      blocking: true,
      status: 'registered',
      externalId: 'ours',
      detailsUrl: 'https://example.com',
      rerequestable: true,
      deploymentId: id,
      integrationId: expect.any(String),
    })
    expect((await request(path)).body).toEqual({ checks: [body] })
    expect((await request(`${path}/${body.id}`)).body).toEqual(body)
    const read = async () => (await request(`/v13/deployments/${id}`)).body
    expect(await read()).toMatchObject({ checksState: 'registered' })
    const metric = { value: 1, source: 'web-vitals' }
    expect(await patchCheck(body.id, { status: 'running' })).toMatchObject({
      status: 200,
      body: { status: 'running', startedAt: expect.any(Number) },
    })
    expect(await read()).toMatchObject({ checksState: 'running' })
    await patchCheck(body.id, {
      status: 'completed',
      conclusion: 'neutral',
      output: { metrics: { FCP: metric, LCP: metric, CLS: metric, TBT: metric } },
    })
    expect(await read()).toMatchObject({ checksState: 'completed', checksConclusion: 'succeeded' })
    expect(now().checks).toMatchObject([
      { status: 'completed', conclusion: 'neutral', acceptedStatuses: ['running', 'completed'] },
    ])
    expect(await patchCheck(body.id, { status: 'running' })).toMatchObject({ status: 409 })
    vercel.dials.checkUpdateAfterEnd = 200
    expect(await patchCheck(body.id, { status: 'running' })).toMatchObject({ status: 200 })
    expect(now().checks[0]?.status).toBe('completed')
  })

  test.each([
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: undefined }],
    ['blocking', { blocking: undefined }],
    ['path', { path: 'x'.repeat(256) }],
    ['externalId', { externalId: 1 }],
    ['requires', { requires: 'none' }],
  ])('is refused with %s wrong', async (field, wrong) => {
    const { create } = await checksForTest()
    expect(await create(wrong)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', message: expect.stringContaining(field) } },
    })
  })

  test.each([
    ['status', { status: 'registered' }],
    ['conclusion', { status: 'completed' }],
    ['conclusion', { conclusion: 'succeeded' }],
    ['conclusion', { status: 'completed', conclusion: 'timeout' }],
    ['conclusionText', { conclusionText: 'No.' }],
    ['output', { output: { metrics: { FCP: { value: 1, source: 'web-vitals' } } } }],
  ])('refuses an update with %s wrong', async (field, wrong) => {
    const { create, patchCheck, now } = await checksForTest()
    const { body } = await create()
    expect(await patchCheck(body.id, wrong)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining(field) } },
    })
    expect(now().checks[0]?.status).toBe('registered')
  })

  test('refuses output that is too large', async () => {
    const { vercel, create, patchCheck } = await checksForTest()
    vercel.dials.checkOutputLimit = 1
    const { body } = await create()
    expect(await patchCheck(body.id, { output: {} })).toMatchObject({ status: 413 })
  })

  test('is of one’s own installation only, and of none that is not there', async () => {
    const { vercel, path, create, request, post } = await checksForTest()
    const { body } = await create()
    vercel.createInstallation({ accessToken: 'other' })
    for (const at of [path, `${path}/${body.id}`])
      expect(await request(at, {}, 'other')).toMatchObject({ status: 404 })
    expect(await post(path, { name: 'x', blocking: true }, 'other')).toMatchObject({ status: 404 })
    expect(await request(`${path}/check_none`)).toMatchObject({ status: 404 })
  })

  test('cannot be created for a deployment that is finished', async () => {
    const { build, create } = await checksForTest()
    await build()
    expect(await create()).toMatchObject({
      status: 400,
      body: { error: { message: 'The deployment is finished already' } },
    })
  })

  test.each(['registered', 'running'] as const)(
    'is given up when it is %s for too long',
    async (status) => {
      const { vercel, create, patchCheck, id } = await checksForTest()
      vercel.dials.checkStaleAfterMs = { registered: 300_000, running: 300_000, [status]: 30 }
      const { body } = await create()
      if (status === 'running') await patchCheck(body.id, { status })
      const { checks } = await vercel.until(id, ({ checks }) => checks[0]?.status === 'completed')
      expect(checks).toMatchObject([{ conclusion: 'stale' }])
    },
  )
})

describe('a deployment that is built', () => {
  test.each([
    ['failed', true, 'ERROR'],
    ['canceled', true, 'ERROR'],
    ['neutral', true, 'READY'],
    ['failed', false, 'READY'],
  ] as const)(
    'with a check that has %s, blocking: %s, is %s',
    async (conclusion, blocking, state) => {
      const { create, patchCheck, build, now } = await checksForTest()
      const { body } = await create({ blocking })
      await build()
      await patchCheck(body.id, { status: 'completed', conclusion })
      expect(now().readyState).toBe(state)
    },
  )

  test('fails with a check that failed before', async () => {
    const { create, patchCheck, update, vercel, id, now } = await checksForTest()
    const { body } = await create()
    await patchCheck(body.id, { status: 'completed', conclusion: 'failed' })
    expect(now().readyState).toBe('QUEUED')
    await update(vercel.deployment(id), { status: 'succeeded' })
    const failed = await vercel.until(id, ({ readyState }) => readyState === 'ERROR')
    expect(failed).toMatchObject({ errorCode: 'CHECKS_FAILED' })
  })
})

describe('what becomes of a deployment is told', () => {
  test('with the installation and resources that it concerns, as the dial has it', async () => {
    const { vercel, create, build, events, id } = await checksForTest()
    const { id: installationId } = vercel.installation
    const integrations = [{ installationId, resources: [{ externalResourceId: 'db-42' }] }]
    await create()
    await build()
    await expect.poll(() => events('deployment.ready')).toHaveLength(1)
    expect(events('deployment.created')).toMatchObject([
      { deployment: { id, name: 'shop' }, target: null, integrations },
    ])
    vercel.dials.installationsInEvents = 'installationIds'
    expect(vercel.deploymentEvent('ready', id).payload).toMatchObject({
      installationIds: [installationId],
    })
    vercel.dials.installationsInEvents = 'absent'
    const { payload } = vercel.deploymentEvent('ready', id)
    expect(JSON.stringify(payload)).not.toContain(installationId)
  })

  test('ready only where a check waits for it, error and canceled always', async () => {
    const { vercel, project, build, events, update } = await checksForTest()
    await build()
    vercel.cancel(vercel.deploy(project).id)
    await update(vercel.deploy(project), { status: 'failed' })
    await expect.poll(() => events('deployment.canceled')).toHaveLength(1)
    await expect.poll(() => events('deployment.error')).toHaveLength(1)
    expect(events('deployment.ready')).toEqual([])
  })

  test('to nobody who has not switched it on', async () => {
    const { vercel, build } = await checksForTest({ product: PRODUCT })
    await build()
    const types = vercel.records.flatMap((event) => (event.kind === 'webhook' ? event.type : []))
    expect(types.filter((type) => /^deployment\.[a-z-]+$/.test(type))).toEqual([])
  })
})

describe('a check that is requested again', () => {
  test('has lost its conclusion and ids, is told, and its deployment is open again', async () => {
    const { vercel, id, create, patchCheck, build, events, now } = await checksForTest()
    const { body } = await create({ externalId: 'ours', detailsUrl: 'x', rerequestable: true })
    await build()
    await patchCheck(body.id, { status: 'completed', conclusion: 'failed' })
    expect(now().readyState).toBe('ERROR')
    vercel.rerequestCheck(id, body.id)
    const [check] = now().checks
    expect(check).toMatchObject({ status: 'registered' })
    for (const gone of ['conclusion', 'externalId', 'detailsUrl'])
      expect(check).not.toHaveProperty(gone)
    expect(now().readyState).toBe('READY')
    await expect.poll(() => events('deployment.check-rerequested')).toHaveLength(1)
    expect(events('deployment.check-rerequested')).toMatchObject([
      { deployment: { id }, check: { id: body.id } },
    ])
  })

  test('by its integration may be running at once; one that is not rerequestable is not', async () => {
    const { vercel, id, path, create, post } = await checksForTest()
    const { body } = await create({ rerequestable: true })
    expect(await post(`${path}/${body.id}/rerequest?autoUpdate=true`, {})).toMatchObject({
      status: 200,
      body: { status: 'running' },
    })
    const { body: other } = await create()
    expect(await post(`${path}/${other.id}/rerequest`, {})).toMatchObject({ status: 400 })
    expect(() => vercel.rerequestCheck(id, other.id)).toThrow('cannot be requested again')
  })

  test('is so by a form of the page, which shows the checks', async () => {
    const { vercel, id, create, patchCheck, now } = await checksForTest()
    const { body } = await create({ name: 'Smoke <1>', rerequestable: true })
    const page = async () => await (await fetch(vercel.url)).text()
    const action = `/simulator/deployments/${id}/checks/${body.id}/rerequest`
    expect(await page()).toContain('Smoke &lt;1&gt;')
    expect(await page()).not.toContain(action)
    await patchCheck(body.id, { status: 'completed', conclusion: 'failed' })
    expect(await page()).toContain(action)
    await fetch(vercel.url + action, {
      method: 'POST',
      headers: { origin: vercel.url },
      body: new URLSearchParams(),
      redirect: 'manual',
    })
    expect(now().checks).toMatchObject([{ status: 'registered' }])
  })
})
