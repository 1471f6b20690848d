import { describe, expect, test } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/index.ts'
import { PRODUCT, vercelForTest } from './vercel-for-test.ts'

const product = { ...PRODUCT, checks: true }
const json = (body: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

/** A local Vercel with a project whose previews need no action, so that they are built at once. */
async function checksForTest(options: Partial<SimulatorOptions> = {}) {
  const base = await vercelForTest({ product, ...options })
  const { vercel, request, patch } = base
  const project = vercel.createProject({
    name: 'site',
    resources: [{ resourceId: 'db-42', actions: {} }],
  })
  const path = `/v2/projects/${project.id}/checks`
  return {
    ...base,
    project,
    path,
    register: (body: object = {}) =>
      request(
        path,
        json({
          name: 'Smoke',
          requires: 'build-ready',
          targets: ['preview'],
          source: { kind: 'integration', externalResourceId: 'db-42' },
          ...body,
        }),
      ),
    /** Deploys, and answers once the check run is there. */
    started: async () => {
      const { id } = vercel.deploy(project, { gitBranch: 'feature/x' })
      const { checkRuns } = await vercel.until(id, ({ checkRuns }) => checkRuns.length > 0)
      const [run] = checkRuns
      if (!run) throw new Error('No check run was started')
      return {
        id,
        run,
        now: () => vercel.deployment(id).checkRuns[0],
        update: (body: unknown) => patch(`/v2/deployments/${id}/check-runs/${run.id}`, body),
      }
    },
    received: (type: string) =>
      base.received.filter(({ event }) => event.type === type).map(({ event }) => event),
    arrived: (type: string) =>
      vercel.untilEvent(
        (event) =>
          event.kind === 'webhook' && event.type === type && event.result.kind === 'answered',
      ),
  }
}

describe('a resource that is connected to a project', () => {
  test('is told to a provider whose checks are switched on', async () => {
    const { project, vercel, received } = await checksForTest()
    const connected = () =>
      received('integration-resource.project-connected').map(({ payload }) => payload)
    await expect.poll(connected).toHaveLength(2)
    expect(connected()).toContainEqual({
      configuration: { id: vercel.installation.id },
      installationId: vercel.installation.id,
      resourceId: 'db-42',
      project: { id: project.id, name: 'site' },
      projectId: project.id,
      targets: [],
      team: { id: vercel.installation.teamId },
      user: { id: null },
    })
    expect(vercel.connectionEvent('disconnected', project, 'db-42')).toMatchObject({
      type: 'integration-resource.project-disconnected',
      payload: { project: { id: project.id } },
    })
  })

  test('is told to no other', async () => {
    const { vercel, request } = await vercelForTest()
    const project = vercel.createProject({ name: 'site', resources: [{ resourceId: 'db' }] })
    expect(vercel.records).toEqual([])
    expect(await request(`/v2/projects/${project.id}/checks`)).toMatchObject({ status: 403 })
  })
})

describe('the checks of a project', () => {
  test('are registered and listed, by id and by name', async () => {
    const { vercel, register, request, path } = await checksForTest()
    const { status, body } = await register({ timeout: 60, blocks: 'none' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'Smoke',
      requires: 'build-ready',
      blocks: 'none',
      targets: ['preview'],
      timeout: 60,
      sourceKind: 'integration',
      sourceIntegrationConfigurationId: vercel.installation.id,
      source: { externalResourceId: 'db-42' },
    })
    expect((await request(path)).body).toEqual({ checks: [body] })
    expect((await request('/v2/projects/site/checks?blocks=none')).body.checks).toHaveLength(1)
    expect((await request(`${path}?blocks=build-start`)).body.checks).toEqual([])
  })

  test('have Vercel’s defaults, in the unit that the dial says', async () => {
    const { vercel, register } = await checksForTest()
    const defaults = { targets: undefined, source: undefined }
    expect((await register(defaults)).body).toMatchObject({
      targets: ['production'],
      timeout: 300,
    })
    vercel.dials.checkTimeoutUnit = 'milliseconds'
    expect((await register(defaults)).body).toMatchObject({ timeout: 300_000 })
  })

  test('are of one’s own installation only', async () => {
    const { vercel, request } = await checksForTest()
    const other = vercel.createInstallation({ accessToken: 'other' })
    vercel.createProject({ name: 'theirs', installation: other, resources: [] })
    expect(await request('/v2/projects/theirs/checks')).toMatchObject({ status: 404 })
    expect(await request('/v2/projects/theirs/checks', {}, 'other')).toMatchObject({ status: 200 })
  })

  test.each([
    ['name', { name: '' }],
    ['requires', { requires: undefined }],
    ['requires', { requires: 'luck' }],
    ['blocks', { blocks: 'everything' }],
    ['timeout', { timeout: '60' }],
    ['source.kind', { source: { kind: 'webhook', webhookId: 'x' } }],
    ['extra', { extra: 1 }],
  ])('are refused with %s wrong', async (field, wrong) => {
    const { register } = await checksForTest()
    expect(await register(wrong)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', message: expect.stringContaining(field) } },
    })
  })
})

describe('a check run', () => {
  test('is queued when the deployment is built, told, run and completed', async () => {
    const { vercel, register, started, received, arrived, request } = await checksForTest()
    await register()
    const { id, run, now, update } = await started()
    expect(run).toMatchObject({ name: 'Smoke', resourceId: 'db-42', status: 'queued' })
    expect(vercel.deployment(id).readyState).toBe('READY')
    await arrived('deployment.checkrun.start')
    expect(received('deployment.checkrun.start')).toMatchObject([
      {
        payload: {
          checkRun: {
            id: run.id,
            name: 'Smoke',
            deploymentId: id,
            timeout: 300,
            source: {
              kind: 'integration',
              integrationConfigurationId: vercel.installation.id,
              externalResourceId: 'db-42',
            },
          },
          deployment: { id, url: expect.any(String), meta: { githubCommitRef: 'feature/x' } },
          integrations: [{ installationId: vercel.installation.id }],
        },
      },
    ])
    expect(await update({ status: 'running', externalUrl: 'sso:/checks/1' })).toMatchObject({
      status: 200,
      body: { id: run.id, status: 'running', externalUrl: 'sso:/checks/1' },
    })
    expect((await request(`/v13/deployments/${id}`)).body).toMatchObject({ checksState: 'running' })
    expect(
      await update({
        status: 'completed',
        conclusion: 'failed',
        conclusionText: 'No.',
        output: { a: 1 },
        completedAt: 5,
      }),
    ).toMatchObject({ status: 200 })
    expect(now()).toMatchObject({
      status: 'completed',
      conclusion: 'failed',
      conclusionText: 'No.',
      output: { a: 1 },
      completedAt: 5,
      acceptedStatuses: ['running', 'completed'],
    })
    expect((await request(`/v13/deployments/${id}`)).body).toMatchObject({
      checksState: 'completed',
      checksConclusion: 'failed',
    })
    const runs = `/v2/deployments/${id}/check-runs`
    expect((await request(`${runs}/${run.id}`)).body).toMatchObject({ conclusion: 'failed' })
    expect((await request(runs)).body.runs).toHaveLength(1)
    const changes = vercel.records.flatMap((event) =>
      event.kind === 'deployment' && event.checkRunId === run.id ? [event.change] : [],
    )
    expect(changes).toEqual(['check-queued', 'check-running', 'check-completed'])
  })

  test('starts with its deployment when it requires nothing, and only for its targets', async () => {
    const { vercel, project, register } = await checksForTest()
    await register({ requires: 'none' })
    expect(vercel.deploy(project, {}).checkRuns).toMatchObject([{ status: 'queued' }])
    expect(vercel.deploy(project, { environment: 'production' }).checkRuns).toEqual([])
  })

  test('runs twice when it was registered twice', async () => {
    const { vercel, project, register } = await checksForTest()
    vercel.dials.checksPerRegistration = 2
    await register({ requires: 'none' })
    const { checkRuns } = vercel.deploy(project)
    expect(new Set(checkRuns.map(({ id }) => id)).size).toBe(2)
    expect(new Set(checkRuns.map(({ checkId }) => checkId)).size).toBe(2)
  })

  test('is told with little more than its id when the dial says so', async () => {
    const { vercel, register, started } = await checksForTest()
    vercel.dials.checkRunEvents = 'sparse'
    await register()
    const { id, run } = await started()
    const { payload } = vercel.checkRunEvent('start', id, run.id)
    expect(payload).toMatchObject({
      checkRun: { id: run.id, checkId: run.checkId, deploymentId: id },
      deployment: { id },
      integrations: [{ installationId: vercel.installation.id }],
    })
    expect(payload['deployment']).toEqual({ id })
    expect(payload['checkRun']).not.toHaveProperty('source')
  })

  test.each([
    ['seconds', 0.05],
    ['milliseconds', 50],
  ] as const)('times out after its timeout, in %s', async (unit, timeout) => {
    const { vercel, register, started } = await checksForTest()
    vercel.dials.checkTimeoutUnit = unit
    await register({ timeout })
    const { id, update } = await started()
    await update({ status: 'running' })
    const { checkRuns } = await vercel.until(
      id,
      (deployment) => deployment.checkRuns[0]?.status === 'completed',
    )
    expect(checkRuns).toMatchObject([{ conclusion: 'timeout' }])
    expect(await update({ status: 'completed', conclusion: 'succeeded' })).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict' } },
    })
  })

  test('is canceled by its user, once, and by the end of its deployment', async () => {
    const { vercel, register, started, received, arrived } = await checksForTest()
    await register()
    const one = await started()
    vercel.cancelCheckRun(one.id, one.run.id)
    expect(one.now()).toMatchObject({ status: 'completed', conclusion: 'canceled' })
    await arrived('deployment.checkrun.cancel')
    expect(received('deployment.checkrun.cancel')).toMatchObject([
      { payload: { checkRun: { id: one.run.id } } },
    ])
    expect(() => vercel.cancelCheckRun(one.id, one.run.id)).toThrow('has canceled')
    const other = await started()
    vercel.cancel(other.id)
    expect(other.now()).toMatchObject({ conclusion: 'canceled' })
    const third = await started()
    vercel.remove(third.id)
    expect(third.now()).toMatchObject({ conclusion: 'canceled' })
    expect(await third.update({ status: 'running' })).toMatchObject({ status: 404 })
  })

  test('may wait for its integration to be canceled', async () => {
    const { vercel, register, started } = await checksForTest()
    vercel.dials.cancelEndsCheckRun = false
    await register()
    const { id, run, now, update } = await started()
    vercel.cancelCheckRun(id, run.id)
    expect(now()?.status).toBe('queued')
    expect(await update({ status: 'completed', conclusion: 'canceled' })).toMatchObject({
      status: 200,
    })
  })

  test('never changes once it is completed, whatever a late update is answered', async () => {
    const { vercel, register, started } = await checksForTest()
    await register()
    const { now, update } = await started()
    await update({ status: 'completed', conclusion: 'succeeded' })
    vercel.dials.checkUpdateAfterEnd = 200
    expect(await update({ status: 'completed', conclusion: 'failed' })).toMatchObject({
      status: 200,
    })
    expect(now()).toMatchObject({ conclusion: 'succeeded', terminalBodies: 2 })
    vercel.dials.checkUpdateAfterEnd = 410
    expect(await update({ status: 'running' })).toMatchObject({ status: 410 })
  })

  test.each([
    ['status', { status: 'done' }],
    ['conclusion', { status: 'completed' }],
    ['conclusion', { conclusion: 'succeeded' }],
    ['conclusion', { status: 'completed', conclusion: 'stale' }],
    ['externalUrl', { externalUrl: 'javascript:alert(1)' }],
    ['output', { output: 'text' }],
    ['completedAt', { completedAt: 'now' }],
    ['detailsUrl', { detailsUrl: 'https://example.com' }],
  ])('refuses an update with %s wrong', async (field, wrong) => {
    const { register, started } = await checksForTest()
    await register()
    const { update, now } = await started()
    expect(await update(wrong)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining(field) } },
    })
    expect(now()?.acceptedStatuses).toEqual([])
  })

  test('refuses output that is too large', async () => {
    const { vercel, register, started } = await checksForTest()
    vercel.dials.checkOutputLimit = 10
    await register()
    const { update } = await started()
    const output = { text: 'more than ten bytes' }
    expect(await update({ status: 'completed', conclusion: 'neutral', output })).toMatchObject({
      status: 413,
    })
  })

  test('is not found by others, nor an unknown one', async () => {
    const { vercel, register, started, request } = await checksForTest()
    await register()
    const { id, run } = await started()
    const path = `/v2/deployments/${id}/check-runs`
    expect(await request(`${path}/ckr_none`)).toMatchObject({ status: 404 })
    vercel.createInstallation({ accessToken: 'other' })
    expect(await request(`${path}/${run.id}`, {}, 'other')).toMatchObject({ status: 404 })
  })
})

test('the page shows check runs, and cancels them by its own form', async () => {
  const { vercel, register, started } = await checksForTest()
  await register({ name: 'Smoke <1>' })
  const { id, run, update, now } = await started()
  await update({ status: 'running' })
  const page = async () => await (await fetch(vercel.url)).text()
  const action = `/simulator/deployments/${id}/check-runs/${run.id}/cancel`
  for (const shown of ['Smoke &lt;1&gt;', 'class="running"', action, `check ${run.id}`])
    expect(await page()).toContain(shown)
  await fetch(vercel.url + action, {
    method: 'POST',
    headers: { origin: vercel.url },
    body: new URLSearchParams(),
    redirect: 'manual',
  })
  expect(now()).toMatchObject({ conclusion: 'canceled' })
  expect(await page()).not.toContain(action)
})
