import type { GitBranchRule, Treatment } from '../domain/policy.ts'

/**
 * For whom an action works, how much of it may exist, and for how long. Without a policy it works for every deployment
 * that Vercel starts it for, and what it made stays as long as the deployment; with one, each field that is left out
 * changes nothing, but for `protectedBranches`.
 *
 * What is skipped is reported `succeeded` without variables, and says why: **its build goes on with the resource's own
 * variables, which may lead to production data**. Write `'fail'` where that must not be: nothing is made either, and
 * where the customer requires the resource, the build stops. Where one rule skips and another one fails, it fails.
 *
 * Globs match the whole name of a git branch: `*` any characters but `/`, `**` any at all, `?` one but `/`.
 */
export interface ActionPolicy {
  /** The environments that the action works for: `production`, `preview`, or the slug of a custom one. */
  readonly environments?: readonly string[] | undefined
  /**
   * The git branches that the action works for, as globs: those of `only`, but none of `except`. A deployment without
   * git is in neither.
   */
  readonly gitBranches?: GitBranchRule | undefined
  /** What becomes of a deployment that these two, or `protectedBranches`, leave out. Default `'skip'`. */
  readonly otherwise?: 'skip' | 'fail' | undefined
  /**
   * Deployments whose creator or commit author looks like a bot: `…[bot]`, dependabot or renovate. It is a guess by
   * their names, to save work and no protection. Default `'allow'`.
   */
  readonly bots?: Treatment | undefined
  /**
   * Deployments of a pull request from another repository, whose authors could read the credentials. Where Vercel
   * tells a pull request but not the two repositories (GitLab, Bitbucket), or nothing of where the deployment comes
   * from, it is taken for one. Default `'allow'`.
   */
  readonly forks?: Treatment | undefined
  readonly quota?: PolicyQuota | undefined
  /**
   * How long what was made for a deployment stays: from then on the next reconciliation takes it back **although the
   * deployment is still there**, which has no database from then on; a redeploy makes a new one. A duration of a second
   * or more, `'7 days'`. Never taken back is what production or a protected git branch has, what Vercel does not tell
   * these two of, and what is younger than the reconciliation's `minAge`; and nothing while the action is at work. Of
   * what several deployments share, each one's claim has its own time. Default: as long as the deployment.
   */
  readonly ttl?: string | undefined
  /**
   * Git branches, as globs, whose data people count on: what their deployments have or share is never reset, evicted
   * or taken back by `ttl`. An action that shares one object among the deployments of a git branch makes none for
   * these, unless `environments` names `production`: all that their deployments write would go to the copy, and stay
   * there. Default `['main', 'master', 'production', 'prod']`.
   */
  readonly protectedBranches?: readonly string[] | undefined
}

/**
 * How much of the action may exist at the same time; at least one of the two. It is counted by the action's `list`
 * right before something is made: what several deployments share counts once, and what nobody needs any more or is
 * half made counts too.
 *
 * The count is exact where the action has `exclusively`, as `branchDatabase` has with a driver that can share branches
 * (`postgres`): each waits until what the one before it makes is listed. Elsewhere, two that begin at the same moment
 * do not see each other, and the quota may be exceeded by as many as are at work at once, less one.
 */
export interface PolicyQuota {
  readonly perResource?: number | undefined
  readonly perInstallation?: number | undefined
  /**
   * When there is no room: fail at once, with the numbers; or destroy what has had no deployment for the longest time
   * and is merely kept for the next one (`keepFor`), and fail only when there is nothing of that. What a deployment
   * needs is never destroyed, nor what another Holdpoint made or a protected git branch has. Default `'fail'`.
   */
  readonly whenFull?: 'fail' | 'evict' | undefined
}
