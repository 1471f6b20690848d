import type { Deployment } from './deployment.ts'
import { newCommitSha, newHostSuffix, newId } from './identifiers.ts'
import type { Project } from './project.ts'
import type { Resource } from './resource.ts'
import { resourceVariables } from './resource-variables.ts'

/** What is deployed. */
export interface DeployOptions {
  /** `preview` unless said; any other name is a custom environment. */
  readonly environment?: string
  readonly gitBranch?: string
  /** Drawn at random for a deployment from git. */
  readonly sha?: string
  /** As Vercel names it: `git`, `cli`, `redeploy`, … Unless said, `git` with a branch and `cli` without. */
  readonly source?: string
  /** The user name of whoever deployed: `dependabot[bot]`, for instance. */
  readonly creator?: string
  /** Laid over the metadata that a GitHub deployment has. */
  readonly meta?: Readonly<Record<string, string>>
}

/** A deployment as it is before anything has happened to it, with the actions chosen for its environment. */
export function createDeployment(
  project: Project,
  options: DeployOptions,
  { createdAt, resources }: { readonly createdAt: number; readonly resources: readonly Resource[] },
): Deployment {
  const environment = options.environment ?? 'preview'
  const { gitBranch } = options
  const baseEnv = {
    ...project.env[environment],
    ...resourceVariables(project, environment, resources),
  }
  const sha = options.sha ?? (gitBranch === undefined ? undefined : newCommitSha())
  return {
    id: newId('dpl'),
    url: `${project.name}-${newHostSuffix()}.vercel.app`,
    project,
    environment,
    source: options.source ?? (gitBranch === undefined ? 'cli' : 'git'),
    creator: options.creator ?? 'ada',
    createdAt,
    ...(gitBranch !== undefined && { gitBranch }),
    ...(sha !== undefined && { sha }),
    meta: { ...githubMeta(project, gitBranch, sha), ...options.meta },
    actions: chosenFor(project, environment),
    checks: [],
    checkRuns: [],
    readyState: 'QUEUED',
    baseEnv,
    env: { ...baseEnv },
  }
}

function chosenFor(project: Project, environment: string): Deployment['actions'] {
  return project.connections.flatMap((connection) =>
    connection.actions
      .filter((chosen) => chosen.environments.includes(environment))
      .map((chosen) => ({
        connection,
        chosen,
        state: 'pending' as const,
        secrets: {},
        acceptedUpdates: [],
      })),
  )
}

function githubMeta(
  project: Project,
  gitBranch: string | undefined,
  sha: string | undefined,
): Record<string, string> {
  if (gitBranch === undefined) return {}
  return {
    githubDeployment: '1',
    githubOrg: project.installation.teamSlug,
    githubRepo: project.name,
    githubRepoId: '123456789',
    githubCommitOrg: project.installation.teamSlug,
    githubCommitRepo: project.name,
    githubCommitRef: gitBranch,
    ...(sha !== undefined && { githubCommitSha: sha }),
    githubCommitMessage: `Work on ${gitBranch}`,
    githubCommitAuthorName: 'Ada',
    githubCommitAuthorLogin: 'ada',
  }
}
