import { type BranchRef, isOwn } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import { printable } from './sql.ts'

/** Refuses for good (`branch_shared`) what several deployments may hold claims on. */
export function requireOwn(ref: BranchRef): void {
  if (isOwn(ref)) return
  throw new ActionFailure(
    'branch_shared',
    `The branch ${printable(ref.name)} is shared by several deployments, so none of them makes or deletes it alone, and it was left as it is. Put a claim on it, or give the claim up.`,
    { retryable: false },
  )
}

/** Refuses for good (`branch_not_shared`) what belongs to one deployment. */
export function requireShared(ref: BranchRef): void {
  if (!isOwn(ref)) return
  throw new ActionFailure(
    'branch_not_shared',
    `The branch ${printable(ref.name)} belongs to one deployment, so there are no claims on it, and it was left as it is. Make and delete it as that deployment's own.`,
    { retryable: false },
  )
}
