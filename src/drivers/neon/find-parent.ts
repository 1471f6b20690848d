import { ActionFailure } from '../../domain/failure.ts'
import type { Neon } from './client.ts'
import { projectBranches } from './find-branch.ts'

/** The id of the branch that is named or identified by `parent`. Fails for good (`parent_missing`) when none is. */
export async function findParent(
  neon: Neon,
  { project, parent }: { project: string; parent: string },
  signal: AbortSignal,
): Promise<string> {
  for await (const { branch } of projectBranches(neon, { project, search: parent }, signal))
    if (branch.id === parent || branch.name === parent) return branch.id
  throw new ActionFailure(
    'parent_missing',
    `The Neon project ${project} has no branch whose name or id is ${JSON.stringify(parent)}, so there is nothing to branch from. Create it, or correct neon({ parent }), and redeploy.`,
    { retryable: false },
  )
}
