import type { ActionKey } from '../domain/action-key.ts'
import {
  type BranchRef,
  branchRef,
  type GitBranchKey,
  sharedBranchRef,
} from '../domain/branch-ref.ts'
import type { Deployment } from '../domain/deployment.ts'

/** Who gets a branch: each deployment one of its own, or all deployments of a git branch one together. */
export type BranchScope = 'deployment' | 'git-branch'

/** Of whom a branch is asked for. */
export interface BranchCall {
  readonly key: ActionKey
  readonly deployment: Deployment
}

/** The branch that an action has for a deployment. A deployment without git has one of its own, whatever the scope. */
export function branchOf(call: BranchCall, scope: BranchScope): BranchRef {
  return (scope === 'git-branch' && sharedBranchOf(call)) || branchRef(call.key)
}

/** The branch shared by all deployments of the git branch; undefined for a deployment without git. */
export function sharedBranchOf({
  key: { installationId, resourceId, action },
  deployment: { projectId, gitBranch },
}: BranchCall): BranchRef<GitBranchKey> | undefined {
  if (!projectId || !gitBranch) return undefined
  return sharedBranchRef({ installationId, resourceId, projectId, gitBranch, action })
}
