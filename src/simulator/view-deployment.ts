import type { Deployment } from './deployment.ts'
import type { Dials } from './dials.ts'

const ANONYMOUS_KEYS = [
  'alias',
  'aliasAssigned',
  'aliasError',
  'aliasWarning',
  'errorCode',
  'errorMessage',
  'id',
  'readyState',
  'target',
]
const PUBLIC_KEYS = [
  ...ANONYMOUS_KEYS,
  'bootedAt',
  'buildSkipped',
  'buildingAt',
  'createdAt',
  'creator',
  'customEnvironment',
  'meta',
  'name',
  'public',
  'regions',
  'status',
  'type',
  'url',
]

/**
 * A deployment as `GET /v13/deployments` answers it, in the shape the dials ask for. The full shape has every key
 * that Vercel promises, and the git source only for a caller who asks for it.
 */
export function viewDeployment(
  deployment: Deployment,
  query: { readonly withGitRepoInfo: boolean },
  dials: Dials,
): Record<string, unknown> {
  const view: Record<string, unknown> = {
    ...fullView(deployment),
    ...deletionView(deployment, dials),
    ...(query.withGitRepoInfo && gitView(deployment)),
    ...dials.deploymentOverrides,
  }
  switch (dials.deploymentShape) {
    case 'full':
      return view
    case 'public':
      return pick(view, PUBLIC_KEYS)
    case 'anonymous':
      return pick(view, ANONYMOUS_KEYS)
  }
}

function fullView(deployment: Deployment): Record<string, unknown> {
  const { project, readyState, createdAt, environment } = deployment
  const { installation } = project
  const ready = readyState === 'READY'
  return {
    id: deployment.id,
    name: project.name,
    url: deployment.url,
    inspectorUrl: `https://vercel.com/${installation.teamSlug}/${project.name}/${deployment.id.slice(4)}`,
    projectId: project.id,
    project: { id: project.id, name: project.name, framework: null },
    projectSettings: {},
    ownerId: installation.teamId,
    team: { id: installation.teamId, name: installation.teamSlug, slug: installation.teamSlug },
    creator: { uid: 'JdWWV4bR8XYhvYvQxYjqCTh8', type: 'github', username: deployment.creator },
    plan: 'pro',
    version: 2,
    type: 'LAMBDAS',
    public: false,
    source: deployment.source,
    ...targetView(environment),
    readyState,
    status: readyState,
    ...(deployment.integrations && { integrations: { ...deployment.integrations } }),
    ...(deployment.errorCode !== undefined && {
      errorCode: deployment.errorCode,
      errorMessage: deployment.errorMessage,
    }),
    meta: { ...deployment.meta },
    alias: [],
    automaticAliases: [],
    aliasAssigned: ready,
    aliasError: null,
    regions: ['iad1'],
    routes: null,
    env: Object.keys(deployment.env),
    build: { env: Object.keys(deployment.env) },
    buildSkipped: false,
    isInConcurrentBuildsQueue: false,
    isInSystemBuildsQueue: false,
    createdIn: 'sfo1',
    createdAt,
    bootedAt: createdAt,
    buildingAt: deployment.buildStartedAt ?? createdAt,
    ...checksView(deployment),
    ...(ready && { ready: deployment.buildEndedAt, readySubstate: 'PROMOTED' }),
    ...(deployment.canceledAt !== undefined && { canceledAt: deployment.canceledAt }),
  }
}

function checksView({ checks, checkRuns }: Deployment): Record<string, unknown> {
  const all = [...checks, ...checkRuns]
  if (all.length === 0) return {}
  if (all.every(({ status }) => status === 'registered')) return { checksState: 'registered' }
  if (all.some(({ status }) => status !== 'completed')) return { checksState: 'running' }
  const failed = all.some(({ conclusion }) => conclusion === 'failed' || conclusion === 'timeout')
  return { checksState: 'completed', checksConclusion: failed ? 'failed' : 'succeeded' }
}

function deletionView(
  { deletedAt, wasDeletedAt, undeletedAt }: Deployment,
  { restoredDeployment }: Dials,
): Record<string, unknown> {
  if (deletedAt !== undefined) return { deletedAt, softDeletedByRetention: false }
  if (undeletedAt === undefined) return {}
  return {
    deletedAt: restoredDeployment === 'deleted-at-kept' ? wasDeletedAt : null,
    undeletedAt,
  }
}

// A preview has no target, and a custom environment is named beside it.
function targetView(environment: string): Record<string, unknown> {
  if (environment === 'production' || environment === 'staging') return { target: environment }
  if (environment === 'preview') return { target: null }
  const customEnvironment = { id: `env_${environment}`, slug: environment, type: 'preview' }
  return { target: null, customEnvironment }
}

function gitView({ project, gitBranch, sha, meta }: Deployment): Record<string, unknown> {
  if (gitBranch === undefined) return { gitRepo: null }
  return {
    gitSource: {
      type: 'github',
      org: project.installation.teamSlug,
      repo: project.name,
      repoId: 123456789,
      ref: gitBranch,
      ...(sha !== undefined && { sha }),
      prId: meta['githubPrId'] === undefined ? null : Number(meta['githubPrId']),
    },
    gitRepo: {
      type: 'github',
      org: project.installation.teamSlug,
      repo: project.name,
      repoId: 123456789,
      path: `${project.installation.teamSlug}/${project.name}`,
      defaultBranch: 'main',
      name: project.name,
      private: true,
    },
  }
}

function pick(view: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(view).filter(([key]) => keys.includes(key)))
}
