import { type BranchRef, isOwn } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'

/** Refuses for good (`branch_shared`) what several deployments would hold claims on: Neon cannot keep claims. */
export function requireOwn(ref: BranchRef): void {
  if (isOwn(ref)) return
  throw new ActionFailure(
    'branch_shared',
    `The branch ${ref.name} would be shared by several deployments, which the Neon driver cannot do, so nothing was made or deleted. Give each deployment its own: branchDatabase({ scope: 'deployment' }).`,
    { retryable: false },
  )
}
