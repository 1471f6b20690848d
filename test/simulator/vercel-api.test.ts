import { describe, expect, test } from 'vitest'
import { ACCESS_TOKEN, succeeded, vercelForTest } from './vercel-for-test.ts'

const FULL_KEYS =
  'aliasAssigned bootedAt build buildSkipped buildingAt createdAt createdIn creator env id inspectorUrl isInConcurrentBuildsQueue isInSystemBuildsQueue meta name ownerId plan projectId projectSettings public readyState regions routes status type url version'.split(
    ' ',
  )
const PUBLIC_KEYS =
  'aliasAssigned bootedAt buildSkipped buildingAt createdAt creator id meta name public readyState regions status type url'.split(
    ' ',
  )

describe('reading a deployment', () => {
  test('answers every key that Vercel promises, by id and by address', async () => {
    const { vercel, project, request } = await vercelForTest()
    const deployment = vercel.deploy(project, { gitBranch: 'feature/login', sha: 'abc' })
    const { teamId, teamSlug } = vercel.installation
    const path = `/v13/deployments/${deployment.id}?teamId=${teamId}&slug=${teamSlug}`
    const { status, body } = await request(path)
    expect(status).toBe(200)
    expect(Object.keys(body)).toEqual(expect.arrayContaining(FULL_KEYS))
    expect(body).toMatchObject({
      id: deployment.id,
      version: 2,
      readyState: 'QUEUED',
      status: 'QUEUED',
      target: null,
      source: 'git',
      integrations: { status: 'pending', startedAt: expect.any(Number) },
      meta: { githubCommitRef: 'feature/login', githubCommitSha: 'abc' },
    })
    expect(body).not.toHaveProperty('gitSource')
    expect((await request(`/v13/deployments/${deployment.url}`)).body.id).toBe(deployment.id)
    const withGit = await request(`/v13/deployments/${deployment.id}?withGitRepoInfo=true`)
    expect(withGit.body.gitSource).toMatchObject({
      type: 'github',
      ref: 'feature/login',
      sha: 'abc',
    })
  })

  test('tells production, a custom environment and the command line apart', async () => {
    const { vercel, project, request } = await vercelForTest()
    const read = async (environment: string) =>
      (await request(`/v13/deployments/${vercel.deploy(project, { environment }).id}`)).body
    expect(await read('production')).toMatchObject({ target: 'production', source: 'cli' })
    const custom = await read('qa')
    expect(custom).toMatchObject({ target: null, customEnvironment: { slug: 'qa' }, meta: {} })
  })

  test('answers the public and the anonymous shape, and any field a test lays over it', async () => {
    const { vercel, project, request } = await vercelForTest({
      dials: { deploymentOverrides: { meta: { count: 1 }, readyState: 'BLOCKED' } },
    })
    const path = `/v13/deployments/${vercel.deploy(project, { gitBranch: 'x' }).id}?withGitRepoInfo=true`
    expect((await request(path)).body).toMatchObject({ meta: { count: 1 }, readyState: 'BLOCKED' })
    vercel.dials.deploymentShape = 'public'
    const shown = (await request(path)).body
    expect(Object.keys(shown)).toEqual(expect.arrayContaining(PUBLIC_KEYS))
    expect(shown).not.toHaveProperty('integrations')
    expect(shown).not.toHaveProperty('gitSource')
    vercel.dials.deploymentShape = 'anonymous'
    const keys = Object.keys((await request(path)).body).toSorted()
    expect(keys).toEqual(['alias', 'aliasAssigned', 'aliasError', 'id', 'readyState', 'target'])
  })
})

describe('access', () => {
  test('is refused without a token and with an unknown one', async () => {
    const { vercel, project, request, patch, updatePath } = await vercelForTest()
    const deployment = vercel.deploy(project)
    const read = `/v13/deployments/${deployment.id}`
    expect(await request(read, { headers: { authorization: '' } })).toMatchObject({
      status: 401,
      body: { error: { code: 'forbidden', message: expect.any(String) } },
    })
    expect(await request(read, {}, 'other')).toMatchObject({ status: 403 })
    expect(await patch(updatePath(deployment), {}, 'other')).toMatchObject({ status: 403 })
    vercel.dials.invalidToken = 401
    expect(await request(read, {}, 'other')).toMatchObject({ status: 401 })
    vercel.installation.accessToken = 'other'
    expect(await request(read, {}, 'other')).toMatchObject({ status: 200 })
    expect(await request(read, {}, ACCESS_TOKEN)).toMatchObject({ status: 401 })
  })

  test('ends at one’s own team', async () => {
    const { vercel, project, request, patch, updatePath } = await vercelForTest()
    const other = vercel.createInstallation({ accessToken: 'other' })
    const theirs = vercel.createProject({
      name: 'theirs',
      installation: other,
      resources: [{ resourceId: 'db-42' }],
    })
    const [mine, foreign] = [vercel.deploy(project), vercel.deploy(theirs)]
    expect(other.teamId).not.toBe(vercel.installation.teamId)
    expect(await request(`/v13/deployments/${foreign.id}`)).toMatchObject({ status: 404 })
    vercel.dials.foreignDeployment = 403
    expect(await request(`/v13/deployments/${foreign.id}`)).toMatchObject({ status: 403 })
    const wrongTeam = `/v13/deployments/${mine.id}?teamId=${other.teamId}`
    expect(await request(wrongTeam)).toMatchObject({ status: 403 })
    expect(await patch(updatePath(foreign), {})).toMatchObject({ status: 403 })
    const mixed = updatePath(foreign).replace(other.id, vercel.installation.id)
    expect(await patch(mixed, {})).toMatchObject({ status: 404 })
    expect(await patch(updatePath(foreign), {}, 'other')).toMatchObject({ status: 202 })
  })
})

describe('an update', () => {
  test('finds resources whose ids need escaping', async () => {
    const { vercel, update, request } = await vercelForTest()
    for (const resourceId of ['a/b', 'a%2Fb', '100%', 'a b?c#d', 'naïve', '%25']) {
      const project = vercel.createProject({ name: 'odd', resources: [{ resourceId }] })
      expect(await update(vercel.deploy(project), succeeded())).toMatchObject({ status: 202 })
      const path = `/v1/installations/${vercel.installation.id}/resources/${encodeURIComponent(resourceId)}`
      expect((await request(path)).body).toMatchObject({ id: resourceId })
    }
  })

  test('is not found for an unknown deployment, resource or action', async () => {
    const { vercel, project, patch, updatePath } = await vercelForTest()
    const deployment = vercel.deploy(project)
    const path = updatePath(deployment)
    for (const unknown of [
      path.replace(deployment.id, 'dpl_unknown'),
      path.replace('db-42', 'db-43'),
      path.replace('/actions/branch', '/actions/seed'),
    ])
      expect(await patch(unknown, {})).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found' } },
      })
  })

  test('is limited to 100 per minute and token, and the 429 says when to come back', async () => {
    let now = 1_767_225_600_000
    const { vercel, project, update, request } = await vercelForTest({ now: () => now })
    const deployment = vercel.deploy(project)
    const answers = await Promise.all(Array.from({ length: 100 }, () => update(deployment, {})))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    now += 20_000
    const refused = await update(deployment, succeeded())
    expect(refused.status).toBe(429)
    expect(refused.body.error).toMatchObject({
      code: 'rate_limited',
      limit: { total: 100, remaining: 0, reset: 1_767_225_660, resetMs: 1_767_225_660_000 },
    })
    expect(refused.headers.get('retry-after')).toBe('40')
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0')
    vercel.dials.retryAfter = 'date'
    const dated = await update(deployment, succeeded())
    expect(dated.headers.get('retry-after')).toBe('Thu, 01 Jan 2026 00:01:00 GMT')
    vercel.dials.retryAfter = 'absent'
    expect((await update(deployment, {})).headers.get('retry-after')).toBeNull()
    expect(await request(`/v13/deployments/${deployment.id}`)).toMatchObject({ status: 200 })
    expect(vercel.deployment(deployment.id).integrations?.status).toBe('pending')
    now += 40_000
    expect(await update(deployment, succeeded())).toMatchObject({ status: 202 })
  })
})

test('the limits count all installations together when the dial says so', async () => {
  const { vercel, request } = await vercelForTest({
    dials: { readLimit: { total: 1, windowMs: 60_000 } },
  })
  vercel.createInstallation({ accessToken: 'other' })
  const read = (token: string) => request('/v13/deployments/dpl_none', {}, token)
  expect((await read(ACCESS_TOKEN)).status).toBe(404)
  expect((await read('other')).status).toBe(404)
  vercel.dials.limitPer = 'integration'
  expect((await read(ACCESS_TOKEN)).status).toBe(404)
  expect((await read('other')).status).toBe(429)
})

test('a text longer than the dial allows is a bad request', async () => {
  const { vercel, project, update } = await vercelForTest({ dials: { statusTextLimit: 3 } })
  const deployment = vercel.deploy(project)
  expect((await update(deployment, { statusText: '🌱🌱🌱' })).status).toBe(202)
  expect(await update(deployment, { statusText: 'long' })).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('statusText') } },
  })
})

describe('a resource', () => {
  test('has the option values its users chose, the declared defaults among them', async () => {
    const options = {
      type: 'object',
      properties: { parent: { type: 'string', default: 'main' }, rows: { type: 'number' } },
    }
    const { vercel, request } = await vercelForTest({
      product: { id: 'iap_1', name: 'P', actions: [{ slug: 'branch', name: 'B', options }] },
    })
    const environments = ['preview']
    vercel.createProject({
      name: 'options',
      resources: [
        { resourceId: 'db', actions: { branch: { environments, options: { rows: 5 } } } },
      ],
    })
    const base = `/v1/installations/${vercel.installation.id}/resources`
    expect((await request(`${base}/db`)).body).toMatchObject({
      id: 'db',
      productId: 'iap_1',
      metadata: { parent: 'main', rows: 5 },
    })
    const all = (await request(base)).body.resources
    expect(all).toMatchObject([{ id: 'db-42', metadata: {} }, { id: 'db' }])
    expect(await request(`${base}/none`)).toMatchObject({ status: 404 })
    expect(await request('/v1/installations/icfg_other/resources/db')).toMatchObject({
      status: 403,
    })
    expect(() =>
      vercel.createProject({
        name: 'typo',
        resources: [{ resourceId: 'db', actions: { brnch: { environments } } }],
      }),
    ).toThrow('declares no action brnch; it declares: branch')
  })
})

test('an unknown route is a JSON 404', async () => {
  const { request } = await vercelForTest()
  for (const path of ['/v9/nothing', '/nothing'])
    expect(await request(path)).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found', message: expect.any(String) } },
    })
})
