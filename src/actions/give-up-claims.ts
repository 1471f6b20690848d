import type { ActionKey } from '../domain/action-key.ts'
import { type BranchRef, isOwn } from '../domain/branch-ref.ts'
import type { BranchSharing, ResourceDriver } from '../drivers/driver.ts'
import type { DeprovisionCall } from './define-action.ts'

/**
 * Gives up the claims that the key's deployment has on shared branches, and destroys what nobody claims then and has
 * had its time.
 *
 * The branch that the deployment shares is `known` while its run is open. Asking for that one waits for a call that may
 * still put the claim on it; the list finds claims that no history tells of, or of another `scope`, and branches that
 * an earlier try left without a claim.
 */
export async function giveUpClaims(
  {
    driver,
    sharing,
    unclaimedForMs,
    known,
  }: {
    driver: ResourceDriver
    sharing: BranchSharing
    unclaimedForMs: number
    known: BranchRef | undefined
  },
  call: DeprovisionCall,
): Promise<void> {
  const { key } = call
  const { deploymentId } = key
  if (known) await sharing.releaseClaim({ ref: known, deploymentId }, call)
  const shared = (await driver.listBranches(call)).filter(
    ({ ref }) => !isOwn(ref) && isForAction(ref, key),
  )
  for (const { ref, claims = [] } of shared)
    if (claims.some((claim) => claim.deploymentId === deploymentId))
      await sharing.releaseClaim({ ref, deploymentId }, call)
  for (const { ref, claims = [], complete } of shared) {
    const ours = claims.some((claim) => claim.deploymentId === deploymentId)
    if (complete && !ours && claims.length > 0) continue
    const gone = await sharing.deleteUnclaimed({ ref, unclaimedForMs }, call)
    // This deployment began to make it anew and did not get to the end, but others were given it.
    if (!gone && !complete) await sharing.restoreBranch({ source: key.resourceId, ref }, call)
  }
}

function isForAction({ owner }: BranchRef, key: ActionKey): boolean {
  return (
    owner.installationId === key.installationId &&
    owner.resourceId === key.resourceId &&
    owner.action === key.action
  )
}
