import { ActionFailure } from '../../domain/failure.ts'
import type { Neon } from './client.ts'
import { countAnswer, projectAnswer } from './neon-answers.ts'

/** How many branches a project has, and how many its plan allows: `limit` is undefined where Neon does not say. */
export interface BranchCount {
  readonly count: number
  readonly limit: number | undefined
  /** Neon's name for the plan: `free`, `launch_v3`. */
  readonly plan: string
}

export async function countBranches(
  neon: Neon,
  project: string,
  signal: AbortSignal,
): Promise<BranchCount> {
  const [{ project: found }, { count }] = await Promise.all([
    neon.ask(
      {
        what: `the project ${project}`,
        send: (api, params) => api.getProject(project, params),
        answer: projectAnswer,
      },
      signal,
    ),
    neon.ask(
      {
        what: `the number of branches of ${project}`,
        send: (api, params) => api.countProjectBranches({ projectId: project }, params),
        answer: countAnswer,
      },
      signal,
    ),
  ])
  const { branches_limit: limit = 0, subscription_type: plan = 'unknown' } = found.owner ?? {}
  return { count, limit: limit > 0 ? limit : undefined, plan }
}

/** Fails for good (`branch_limit_reached`) when the project has as many branches as its plan allows. */
export async function requireRoom(neon: Neon, project: string, signal: AbortSignal): Promise<void> {
  const { count, limit, plan } = await countBranches(neon, project, signal)
  if (limit !== undefined && count >= limit)
    throw limitReached(project, `${count} of the ${limit} branches that its plan (${plan}) allows`)
}

export function limitReached(project: string, state: string): ActionFailure {
  return new ActionFailure(
    'branch_limit_reached',
    `The Neon project ${project} has ${state}, so no branch could be made for this deployment. Delete branches that nobody needs (\`holdpoint gc\` lists those of deployments that are gone), or move the project to a larger Neon plan, and redeploy.`,
    { retryable: false },
  )
}
