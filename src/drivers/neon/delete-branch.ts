import type { BranchRef } from '../../domain/branch-ref.ts'
import type { Neon } from './client.ts'
import { findBranch } from './find-branch.ts'
import { isMissing } from './neon-error.ts'
import { isProjectId } from './project-id.ts'
import { removeBranch } from './remove-branch.ts'

/** Deletes the branch, if it is there and carries this owner. With its project it is gone too. */
export async function deleteBranch(
  neon: Neon,
  { project, ref }: { project: string; ref: BranchRef },
  signal: AbortSignal,
): Promise<void> {
  if (!isProjectId(project)) return
  try {
    const branch = await findBranch(neon, { project, ref }, signal)
    if (branch) await removeBranch(neon, { project, ref, branch }, signal)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
