import { describe, expect, test } from 'vitest'
import type { Deployment } from '../../src/domain/deployment.ts'
import { getDeployment } from '../../src/vercel/deployments.ts'
import { getResourceMetadata } from '../../src/vercel/resources.ts'
import { ACCESS_TOKEN, vercelForTest } from '../simulator/vercel-for-test.ts'
import { connectionTo, json, smallServer } from './small-server.ts'

/** Reads a held preview from the local Vercel, after the dials were turned. */
async function readHeld(
  dials: Record<string, unknown> = {},
  deploy: { gitBranch?: string; source?: string; environment?: string } = {
    gitBranch: 'feature/x',
  },
): Promise<Deployment & { read: Deployment }> {
  const { vercel, project } = await vercelForTest({ dials })
  const held = vercel.createProject({
    name: project.name,
    resources: [
      {
        resourceId: 'db',
        actions: { branch: { environments: ['preview', 'production', 'qa', 'staging'] } },
      },
    ],
  })
  const { id } = vercel.deploy(held, deploy)
  const read = await getDeployment(
    { baseUrl: vercel.url, timeoutMs: 2000, accessToken: () => Promise.resolve(ACCESS_TOKEN) },
    {
      installationId: vercel.installation.id,
      deploymentId: id,
      teamId: vercel.installation.teamId,
    },
  )
  return { ...read, read }
}

/** Reads a deployment that Vercel answers with exactly this. */
async function readAnswer(body: unknown): Promise<Deployment> {
  const { connection } = await smallServer(json(200, body))
  return await getDeployment(connection, { installationId: 'icfg_A', deploymentId: 'dpl_1' })
}

describe('a deployment is read from each of the shapes Vercel answers in', () => {
  test('the full one', async () => {
    expect(await readHeld()).toMatchObject({
      id: expect.stringMatching(/^dpl_/),
      url: expect.stringContaining('shop'),
      projectId: expect.stringMatching(/^prj_/),
      projectName: 'shop',
      environment: 'preview',
      gitBranch: 'feature/x',
      gitSha: expect.stringMatching(/^[0-9a-f]{40}$/),
      source: 'git',
      readyState: 'QUEUED',
      standing: 'waiting',
    })
  })

  test('the public one, whose meta still tells the branch', async () => {
    const { read } = await readHeld({ deploymentShape: 'public' })
    expect(read).toMatchObject({
      environment: 'preview',
      standing: 'waiting',
      gitBranch: 'feature/x',
    })
    expect(read).not.toHaveProperty('projectId')
  })

  test('the anonymous one, which tells next to nothing and is taken as still waiting', async () => {
    const { read } = await readHeld({ deploymentShape: 'anonymous' })
    expect(read).toEqual({
      id: read.id,
      environment: 'preview',
      readyState: 'QUEUED',
      standing: 'waiting',
    })
  })

  test('an id alone', async () => {
    expect(await readAnswer({ id: 'dpl_1' })).toEqual({
      id: 'dpl_1',
      environment: 'preview',
      standing: 'waiting',
    })
  })
})

describe('where a deployment comes from', () => {
  test('is told by its creator and its metadata', async () => {
    const { read } = await readHeld()
    const { repository } = read.origin ?? {}
    expect(read.origin).toEqual({
      makers: ['ada', 'ada', 'Ada'],
      repository: expect.stringMatching(/^team-1\/shop$/),
      commitRepository: repository,
    })
    const shown = await readHeld({ deploymentShape: 'public' })
    expect(shown.read.origin).toEqual(read.origin)
  })

  test.each([
    ['GitHub', { githubPrId: '7' }, { pullRequest: '7' }],
    ['GitHub, as a number', { githubPrId: 7 }, { pullRequest: '7' }],
    ['GitLab', { gitlabMrId: '8' }, { pullRequest: '8' }],
    ['Bitbucket', { bitbucketPrId: '9' }, { pullRequest: '9' }],
    [
      'a fork at GitHub',
      {
        githubOrg: 'acme',
        githubRepo: 'shop',
        githubCommitOrg: 'eve',
        githubCommitRepo: 'shop',
        githubCommitAuthorLogin: 'dependabot[bot]',
      },
      { makers: ['dependabot[bot]'], repository: 'acme/shop', commitRepository: 'eve/shop' },
    ],
    [
      'an author at GitLab',
      { gitlabCommitAuthorLogin: 'ada', gitlabCommitAuthorName: 'Ada L.' },
      { makers: ['ada', 'Ada L.'] },
    ],
    ['an author at Bitbucket', { bitbucketCommitAuthorName: 'Ada' }, { makers: ['Ada'] }],
    ['half of a repository', { githubOrg: 'acme', githubCommitRepo: 'shop' }, {}],
    ['wrong types', { githubOrg: {}, githubCommitAuthorLogin: [], githubPrId: null }, {}],
  ])('at %s', async (_, meta, origin) => {
    const read = await readAnswer({ id: 'dpl_1', meta })
    expect(read.origin).toEqual({ makers: [], ...origin })
  })

  test.each([
    [{ prId: 7 }, { pullRequest: '7' }],
    [{ prId: '7' }, { pullRequest: '7' }],
    [{ prId: null }, {}],
    // Of which of the two repositories it is nobody says.
    [{ prId: {}, org: 'acme', repo: 'shop' }, {}],
  ])('is told by the git source %j', async (gitSource, origin) => {
    const read = await readAnswer({ id: 'dpl_1', gitSource, creator: { username: 'ada' } })
    expect(read.origin).toEqual({ makers: ['ada'], ...origin })
  })

  test('is not known from an answer without metadata and git source', async () => {
    expect(await readAnswer({ id: 'dpl_1', creator: { username: 'ada' } })).not.toHaveProperty(
      'origin',
    )
    expect((await readAnswer({ id: 'dpl_1', meta: {}, creator: 'x' })).origin).toEqual({
      makers: [],
    })
  })
})

describe('what Vercel may add or change loses none of the rest', () => {
  test('new enum values', async () => {
    const overrides = {
      readyState: 'PROVISIONING',
      status: 'PROVISIONING',
      source: 'telepathy',
      plan: 'galactic',
      gitSource: { type: 'fossil', ref: 'trunk', sha: 'abc' },
    }
    expect(await readHeld({ deploymentOverrides: overrides })).toMatchObject({
      source: 'telepathy',
      gitBranch: 'trunk',
      gitSha: 'abc',
      projectName: 'shop',
      standing: 'waiting',
    })
    const integrations = { status: 'pondering' }
    expect(await readHeld({ deploymentOverrides: { integrations } })).toMatchObject({
      standing: 'waiting',
    })
  })

  test('numbers in meta', async () => {
    const meta = { githubPrId: 7, githubCommitRef: 42, gitlabCommitRef: 'from-gitlab' }
    expect(await readHeld({ deploymentOverrides: { meta, gitSource: null } })).toMatchObject({
      gitBranch: 'from-gitlab',
      projectName: 'shop',
    })
  })

  test('a null ref, for which the commit’s meta stands in', async () => {
    const gitSource = { type: 'github', ref: null, prId: 1 }
    const meta = { bitbucketCommitRef: 'from-meta', bitbucketCommitSha: 'f00' }
    expect(await readHeld({ deploymentOverrides: { gitSource, meta } })).toMatchObject({
      gitBranch: 'from-meta',
      gitSha: 'f00',
    })
  })

  test('a wrong type anywhere but in the id', async () => {
    const wrong = { url: 1, projectId: [], name: {}, target: 5, readyState: 1, integrations: 'x' }
    const more = { gitSource: 'x', meta: [], source: false, deletedAt: 'never', project: 1 }
    expect(await readAnswer({ id: 'dpl_1', ...wrong, ...more, customEnvironment: 'qa' })).toEqual({
      id: 'dpl_1',
      environment: 'preview',
      standing: 'waiting',
    })
  })
})

test('a deployment from the command line has no branch', async () => {
  const { read } = await readHeld({}, { source: 'cli' })
  expect(read.source).toBe('cli')
  expect(read).not.toHaveProperty('gitBranch')
})

describe('the environment is', () => {
  test.each(['production', 'staging', 'preview'])('%s', async (environment) => {
    expect(await readHeld({}, { environment })).toMatchObject({ environment })
  })

  test('the slug of a custom environment, and its id where Vercel tells no slug', async () => {
    expect(await readHeld({}, { environment: 'qa' })).toMatchObject({ environment: 'qa' })
    const customEnvironment = { id: 'env_9' }
    expect(await readAnswer({ id: 'dpl_1', target: null, customEnvironment })).toMatchObject({
      environment: 'env_9',
    })
  })
})

describe('a deployment that Vercel no longer has stands as gone', () => {
  test.each([
    [404, 'not_found'],
    [410, 'gone'],
  ])('%i', async (status, code) => {
    const { connection } = await smallServer(json(status, { error: { code, message: 'No.' } }))
    expect(
      await getDeployment(connection, { installationId: 'icfg_A', deploymentId: 'dpl_1' }),
    ).toEqual({ id: 'dpl_1', environment: 'preview', standing: 'gone' })
  })

  test('and so does one that is kept for a restore', async () => {
    expect(await readHeld({ deploymentOverrides: { deletedAt: 1_767_225_600_000 } })).toMatchObject(
      {
        standing: 'gone',
      },
    )
  })
})

test('when it was canceled or deleted is told where Vercel tells it', async () => {
  const times = { readyState: 'CANCELED', canceledAt: 1000, deletedAt: 2000 }
  expect(await readAnswer({ id: 'dpl_1', ...times })).toMatchObject({
    canceledAtMs: 1000,
    deletedAtMs: 2000,
    standing: 'gone',
  })
  const restored = await readAnswer({ id: 'dpl_1', ...times, undeletedAt: 3000 })
  expect(restored.standing).toBe('canceled')
  const never = await readAnswer({ id: 'dpl_1', canceledAt: null, deletedAt: 'never' })
  expect(Object.keys(never)).toEqual(['id', 'environment', 'standing'])
})

test.each([undefined, [], 'text', {}, { id: 7 }])(
  'an answer that is no deployment is asked for again: %j',
  async (body) => {
    await expect(readAnswer(body)).rejects.toMatchObject({
      code: 'unreadable_answer',
      retryable: true,
      mayHaveActed: false,
      message: expect.stringContaining('dpl_1'),
    })
  },
)

test('a refusal of the read is no statement on the deployment', async () => {
  const { connection } = await smallServer(
    json(403, { error: { code: 'forbidden', message: 'No.' } }),
  )
  const read = getDeployment(connection, { installationId: 'icfg_A', deploymentId: 'dpl_1' })
  await expect(read).rejects.toMatchObject({ status: 403, code: 'forbidden' })
})

test('the git source is asked for, and the team where it is known', async () => {
  const { connection, received } = await smallServer(json(200, { id: 'dpl_1' }))
  await getDeployment(connection, { installationId: 'i', deploymentId: 'dpl_1' })
  await getDeployment(connection, { installationId: 'i', deploymentId: 'dpl_1', teamId: 'team_1' })
  expect(received.map(({ target }) => target)).toEqual([
    '/v13/deployments/dpl_1?withGitRepoInfo=true',
    '/v13/deployments/dpl_1?withGitRepoInfo=true&teamId=team_1',
  ])
})

describe('a resource’s metadata', () => {
  test('is what its user set', async () => {
    const { vercel } = await vercelForTest()
    const actions = { branch: { environments: ['preview'], options: { size: 3, mode: 'copy' } } }
    vercel.createProject({ name: 'p', resources: [{ resourceId: 'a/b', actions }] })
    const connection = { ...connectionTo(vercel.url), accessToken: async () => ACCESS_TOKEN }
    const request = { installationId: vercel.installation.id, resourceId: 'a/b' }
    expect(await getResourceMetadata(connection, request)).toEqual({ size: 3, mode: 'copy' })
  })

  test.each([{ id: 'a' }, { id: 'a', metadata: null }, { id: 'a', metadata: 'x' }, undefined, []])(
    'is empty where Vercel tells none: %j',
    async (body) => {
      const { connection } = await smallServer(json(200, body))
      const request = { installationId: 'icfg_A', resourceId: 'a' }
      expect(await getResourceMetadata(connection, request)).toEqual({})
    },
  )
})
