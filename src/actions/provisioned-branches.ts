import { type BranchRef, isOwn } from '../domain/branch-ref.ts'
import type { BranchRecord } from '../drivers/driver.ts'
import type { ProvisionedObject } from './define-action.ts'

/** A branch as an action lists it: once for its deployment, or once for each that has a claim on it. */
export function provisionedBranches(
  branch: BranchRecord,
  unclaimedForMs: number,
): ProvisionedObject[] {
  const { ref, createdAt, complete, holdpoint, claims = [], unclaimedSince } = branch
  const gitBranch = gitBranchOf(ref)
  const common = {
    name: ref.name,
    complete,
    ...(holdpoint !== undefined && { holdpoint }),
    ...(gitBranch !== undefined && { gitBranch }),
  }
  if (isOwn(ref))
    return [{ ...common, owner: ref.owner, ...(createdAt && { sinceMs: createdAt.getTime() }) }]
  const { installationId, resourceId, action } = ref.owner
  if (claims.length === 0) {
    const sinceMs = unclaimedSince?.getTime() ?? createdAt?.getTime() ?? 0
    const resource = { installationId, resourceId }
    return [{ ...common, resource, sinceMs, expiresAtMs: sinceMs + unclaimedForMs }]
  }
  return claims.map(({ deploymentId, claimedAt }) => ({
    ...common,
    owner: { installationId, resourceId, deploymentId, action },
    sinceMs: claimedAt.getTime(),
  }))
}

/** The git branch whose deployments share the branch, if any do. */
export function gitBranchOf({ owner }: BranchRef): string | undefined {
  return 'gitBranch' in owner ? owner.gitBranch : undefined
}
