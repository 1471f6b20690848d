import type { Deployment } from './deployment.ts'
import { matchesAny } from './glob.ts'
import type { Quota } from './quota.ts'

/** What becomes of a deployment of a certain kind. */
export type Treatment = 'allow' | 'skip' | 'fail'

/** Globs of git branches; see `matchesAny`. */
export interface GitBranchRule {
  readonly only?: readonly string[] | undefined
  readonly except?: readonly string[] | undefined
}

/** The policy of an action as the checked configuration has it, with every default filled in. */
export interface Policy {
  readonly environments?: readonly string[]
  readonly gitBranches?: GitBranchRule
  readonly otherwise: 'skip' | 'fail'
  readonly bots: Treatment
  readonly forks: Treatment
  readonly protectedBranches: readonly string[]
  readonly quota?: Quota
  readonly ttlMs?: number
}

/** Why an action does nothing for a deployment: its build goes on without, or the action fails. */
export interface Refusal {
  readonly verdict: 'skip' | 'fail'
  /** For the developer whose build is held. */
  readonly because: string
}

/** What projects call the git branch that they serve from. */
export const PROTECTED_BRANCHES: readonly string[] = ['main', 'master', 'production', 'prod']

/**
 * Judges whether the action works for the deployment; undefined when it does. A rule that wants the action to fail
 * comes before all that would skip it: a build that goes on has the resource's own variables.
 */
export function judgeAdmission(
  policy: Policy,
  request: {
    readonly deployment: Deployment
    /** Whether the action makes one object for all deployments of a git branch. */
    readonly sharesGitBranches: boolean
  },
): Refusal | undefined {
  const refusals = [
    forkRefusal(policy, request.deployment),
    botRefusal(policy, request.deployment),
    environmentRefusal(policy, request.deployment),
    gitBranchRefusal(policy, request.deployment),
    protectionRefusal(policy, request),
  ].filter((refusal) => refusal !== undefined)
  return refusals.find(({ verdict }) => verdict === 'fail') ?? refusals[0]
}

function environmentRefusal(
  { environments, otherwise }: Policy,
  { environment }: Deployment,
): Refusal | undefined {
  if (!environments || environments.includes(environment)) return undefined
  return refusal(otherwise, {
    why: `The action works for ${environments.join(', ')} only, and not for ${quoted(environment)}`,
    whatToDo: 'switch it off for this environment, or ask the provider',
  })
}

function gitBranchRefusal(
  { gitBranches: { only, except = [] } = {}, otherwise }: Policy,
  { gitBranch }: Deployment,
): Refusal | undefined {
  const whatToDo = 'deploy another git branch, or ask the provider'
  if (gitBranch === undefined) {
    if (!only) return undefined
    return refusal(otherwise, {
      why: 'The action works for some git branches only, and the deployment has none',
      whatToDo,
    })
  }
  if ((!only || matchesAny(only, gitBranch)) && !matchesAny(except, gitBranch)) return undefined
  return refusal(otherwise, {
    why: `The action does not work for the git branch ${quoted(gitBranch)}`,
    whatToDo,
  })
}

// What its deployments share outlives each of them, so all that they write would go to the copy for good; and where
// they serve users, nobody would notice. So it takes a word from the operator.
function protectionRefusal(
  { protectedBranches, environments = [], otherwise }: Policy,
  {
    deployment: { gitBranch },
    sharesGitBranches,
  }: { readonly deployment: Deployment; readonly sharesGitBranches: boolean },
): Refusal | undefined {
  if (!sharesGitBranches || gitBranch === undefined || environments.includes('production'))
    return undefined
  if (!matchesAny(protectedBranches, gitBranch)) return undefined
  return refusal(otherwise, {
    why: `The git branch ${quoted(gitBranch)} is protected: its deployments share no copy`,
    whatToDo: 'deploy another git branch, or ask the provider',
  })
}

function botRefusal({ bots }: Policy, { origin }: Deployment): Refusal | undefined {
  const bot = origin?.makers.find(looksLikeBot)
  if (bots === 'allow' || bot === undefined) return undefined
  return refusal(bots, {
    why: `${quoted(bot)} looks like a bot, for which the action does not work`,
    whatToDo: 'deploy the commit yourself, or ask the provider',
  })
}

function forkRefusal({ forks }: Policy, { origin }: Deployment): Refusal | undefined {
  if (forks === 'allow') return undefined
  const whatToDo = "push the commit to the project's own repository, or ask the provider"
  if (!origin)
    return refusal(forks, {
      why: 'Vercel does not tell whether the commit is from another repository',
      whatToDo,
    })
  const { repository, commitRepository, pullRequest } = origin
  if (repository === undefined || commitRepository === undefined) {
    if (pullRequest === undefined) return undefined
    return refusal(forks, {
      why: `Vercel does not tell whether the pull request ${quoted(pullRequest)} is from another repository`,
      whatToDo,
    })
  }
  if (repository.toLowerCase() === commitRepository.toLowerCase()) return undefined
  return refusal(forks, {
    why: `The commit is from another repository (${quoted(commitRepository)})`,
    whatToDo,
  })
}

function looksLikeBot(name: string): boolean {
  return /\[bot\]$|^(dependabot|renovate)(-?bot|-preview)?$/i.test(name)
}

function refusal(
  verdict: 'skip' | 'fail',
  { why, whatToDo }: { readonly why: string; readonly whatToDo: string },
): Refusal {
  const because =
    verdict === 'skip'
      ? `${why}, so nothing was made and the build goes on with the resource's own variables.`
      : `${why}, so nothing was made and the action fails: ${whatToDo}.`
  return { verdict, because }
}

/** Of names that anybody may choose, enough to know them by. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 59)}…` : name)
}
