import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import { type BranchMark, isFor, readMark } from './branch-mark.ts'
import type { Neon } from './client.ts'
import { branchPage, type NeonBranch } from './neon-answers.ts'

export interface ListedBranch {
  readonly branch: NeonBranch
  readonly mark: BranchMark | undefined
}

const PAGE = 500

/** All branches of a project, or those whose name or id contains the text; the oldest first. */
export async function* projectBranches(
  neon: Neon,
  { project, search }: { project: string; search?: string },
  signal: AbortSignal,
): AsyncGenerator<ListedBranch> {
  let cursor: string | undefined
  do {
    const query = {
      projectId: project,
      limit: PAGE,
      // In an order that does not change while the pages are read.
      sort_by: 'created_at' as const,
      sort_order: 'asc' as const,
      ...(search !== undefined && { search }),
      ...(cursor !== undefined && { cursor }),
    }
    const { branches, annotations, pagination } = await neon.ask(
      {
        what: `the list of branches of ${project}`,
        send: (api, params) => api.listProjectBranches(query, params),
        answer: branchPage,
      },
      signal,
    )
    for (const branch of branches) yield { branch, mark: readMark(annotations[branch.id]?.value) }
    cursor = branches.length > 0 && pagination?.next !== cursor ? pagination?.next : undefined
  } while (cursor)
}

/**
 * The branch of this name. Throws for good (`branch_owner_mismatch`) when it does not carry exactly this owner, and
 * `NeonError` 404 when there is no such project.
 */
export async function findBranch(
  neon: Neon,
  { project, ref }: { project: string; ref: BranchRef },
  signal: AbortSignal,
): Promise<NeonBranch | undefined> {
  for await (const { branch, mark } of projectBranches(
    neon,
    { project, search: ref.name },
    signal,
  )) {
    if (branch.name !== ref.name) continue
    if (isFor(mark, ref)) return branch
    throw new ActionFailure(
      'branch_owner_mismatch',
      `The Neon project ${project} has a branch named ${ref.name} that was not made for this action, so it was left as it is. If nobody needs it, rename or delete it in Neon's console and redeploy.`,
      { retryable: false },
    )
  }
  return undefined
}
