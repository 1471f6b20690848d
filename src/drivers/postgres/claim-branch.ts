import type { BranchRef } from '../../domain/branch-ref.ts'
import type { DriverCall } from '../driver.ts'
import { markRole } from './branch-role.ts'
import type { CopyRequest } from './copy-by-template.ts'
import { makeBranch } from './create-branch.ts'
import { requireShared } from './require-kind.ts'
import type { ServerAddress } from './server-address.ts'
import { withLockedBranch } from './with-locked-branch.ts'

export interface ClaimRequest extends CopyRequest {
  readonly deploymentId: string
  readonly onPush: 'reuse' | 'reset'
}

/**
 * Writes the deployment's claim on the branch's role and makes the branch where it does not stand complete. A reset
 * begins a new edition in the same statement as the claim: what comes after can be cut off, and a repeated call finds
 * the claim, so it goes on with this edition and begins no other.
 */
export async function claimBranch(
  address: ServerAddress,
  { deploymentId, onPush, ...request }: ClaimRequest,
  call: DriverCall,
): Promise<void> {
  requireShared(request.ref)
  await makeBranch(address, request, {
    call,
    markFor: (mark, now) => {
      if (mark.claims.some((claim) => claim.deploymentId === deploymentId)) return mark
      return {
        ...mark,
        edition: onPush === 'reset' ? mark.edition + 1 : mark.edition,
        claims: [...mark.claims, { deploymentId, claimedAt: now }],
        unclaimedSince: undefined,
      }
    },
  })
}

/** Makes the branch in the edition that its mark asks for, if somebody claims it and it does not stand complete. */
export async function restoreBranch(
  address: ServerAddress,
  request: CopyRequest,
  call: DriverCall,
): Promise<void> {
  requireShared(request.ref)
  await makeBranch(address, request, {
    call,
    markFor: (mark) => (mark.claims.length > 0 ? mark : undefined),
  })
}

/** Takes the deployment's claim off the branch, if there is one, and notes the time when it was the last. */
export async function releaseClaim(
  address: ServerAddress,
  { ref, deploymentId }: { ref: BranchRef; deploymentId: string },
  call: DriverCall,
): Promise<void> {
  requireShared(ref)
  await withLockedBranch(address, { ref, call }, async (connection, { mark, now, roleExists }) => {
    const claims = mark?.claims.filter((claim) => claim.deploymentId !== deploymentId) ?? []
    if (!roleExists || mark === undefined || claims.length === mark.claims.length) return
    await call.confirm()
    const unclaimedSince = claims.length === 0 ? now : undefined
    await markRole(connection, ref, { ...mark, claims, unclaimedSince })
  })
}
