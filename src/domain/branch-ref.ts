import { type ActionKey, actionDigest } from './action-key.ts'
import { digest } from './workflow-id.ts'

/** Names a branch at its provider. Holds no secret, so it may be workflow data. */
export interface BranchRef<Owner extends BranchOwner = BranchOwner> {
  /** At most 63 bytes of `a-z 0-9 _`, starting with a letter: legal and unquoted at every provider we know. */
  readonly name: string
  /** Whom the branch was made for. Written on the branch, and compared before anything of it is touched. */
  readonly owner: Owner
}

/** One deployment's action, or all deployments of a git branch together. */
export type BranchOwner = ActionKey | GitBranchKey

/** Whom a shared branch is made for: what an action does for one git branch of one project. */
export interface GitBranchKey {
  readonly installationId: string
  readonly resourceId: string
  readonly projectId: string
  readonly gitBranch: string
  readonly action: string
}

/** The branch of an action: the same key always names the same branch, so it can be found with no history left. */
export function branchRef(owner: ActionKey): BranchRef<ActionKey> {
  return { name: nameOf(owner.deploymentId, actionDigest(owner)), owner }
}

/** The branch that all deployments of a git branch share: the same key always names the same branch. */
export function sharedBranchRef(owner: GitBranchKey): BranchRef<GitBranchKey> {
  const { installationId, resourceId, projectId, gitBranch, action } = owner
  const parts = ['git-branch', installationId, resourceId, projectId, gitBranch, action]
  return { name: nameOf(gitBranch, digest(JSON.stringify(parts))), owner }
}

/** Whether the branch belongs to one deployment alone. */
export function isOwn(ref: BranchRef): ref is BranchRef<ActionKey> {
  return 'deploymentId' in ref.owner
}

/** Whether both are the same kind of owner and the same in every part. */
export function sameOwner(one: BranchOwner, other: BranchOwner): boolean {
  const parts = (owner: BranchOwner) => Object.entries(owner).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(parts(one)) === JSON.stringify(parts(other))
}

function nameOf(readable: string, unique: string): string {
  const readablePart = readable
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 24)
  return `hp_${readablePart}_${unique}`
}
