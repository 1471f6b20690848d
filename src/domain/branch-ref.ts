import { type ActionKey, actionDigest } from './action-key.ts'

/** Names a branch at its provider. Holds no secret, so it may be workflow data. */
export interface BranchRef {
  /** At most 63 bytes of `a-z 0-9 _`, starting with a letter: legal and unquoted at every provider we know. */
  readonly name: string
  /** Whom the branch was made for. Written on the branch, and compared before anything of it is touched. */
  readonly owner: ActionKey
}

/** The branch of an action: the same key always names the same branch, so it can be found with no history left. */
export function branchRef(owner: ActionKey): BranchRef {
  const readable = owner.deploymentId
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 24)
  return { name: `hp_${readable}_${actionDigest(owner)}`, owner }
}
