import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { Neon } from './client.ts'
import { projectBranches } from './find-branch.ts'
import { type NeonBranch, operationsAnswer } from './neon-answers.ts'
import { isMissing, NeonError } from './neon-error.ts'
import { operationsOf, waitForOperations } from './operations.ts'

export interface Removal {
  readonly project: string
  readonly ref: BranchRef
  /** Verified to carry the owner. */
  readonly branch: NeonBranch
}

/**
 * Deletes the branch with its compute, roles and databases, and waits until Neon has done so. Refuses, to be tried
 * again, what somebody protected, made the default or branched from.
 */
export async function removeBranch(
  neon: Neon,
  removal: Removal,
  signal: AbortSignal,
): Promise<void> {
  const { project, ref, branch } = removal
  if (branch.default || branch.protected) throw isProtected(removal)
  try {
    const { operations } = await neon.ask(
      {
        what: `the deletion of ${ref.name} in ${project}`,
        send: (api, params) =>
          api.deleteProjectBranch({ projectId: project, branchId: branch.id }, params),
        answer: operationsAnswer,
        isChange: true,
      },
      signal,
    )
    await waitForOperations(neon, { project, operations }, signal)
  } catch (error) {
    if (isMissing(error)) return
    if (!(error instanceof NeonError)) throw error
    if (!error.mayHaveActed)
      throw (await refusedForChildren(neon, { removal, error }, signal)) ?? error
    await waitIfGone(neon, { removal, error }, signal)
  }
}

/** The answer was lost: either Neon does it, and is waited for, or the error stands and it is asked again. */
async function waitIfGone(
  neon: Neon,
  { removal, error }: { removal: Removal; error: NeonError },
  signal: AbortSignal,
): Promise<void> {
  const { project, ref, branch } = removal
  for await (const listed of projectBranches(neon, { project, search: ref.name }, signal))
    if (listed.branch.id === branch.id) throw error
  const operations = await operationsOf(neon, { project, branchId: branch.id }, signal)
  await waitForOperations(neon, { project, operations }, signal)
}

/** What Neon answers to the deletion of a parent is not documented, so any refusal of the request is looked into. */
async function refusedForChildren(
  neon: Neon,
  { removal, error }: { removal: Removal; error: NeonError },
  signal: AbortSignal,
): Promise<ActionFailure | undefined> {
  if (![400, 406, 409, 412, 422].includes(error.status)) return undefined
  const { project, ref, branch } = removal
  const children: string[] = []
  for await (const listed of projectBranches(neon, { project }, signal))
    if (listed.branch.parent_id === branch.id) children.push(listed.branch.name)
  if (children.length === 0) return undefined
  const some = children.slice(0, 3).map((name) => JSON.stringify(name))
  const others = children.length > 3 ? ` and ${children.length - 3} more` : ''
  return new ActionFailure(
    'branch_has_children',
    `The branch ${ref.name} of the Neon project ${project} has branches of its own (${some.join(', ')}${others}), and Neon deletes no parent, so it is still there. Delete those in Neon's console; the cleanup is then tried again.`,
    { retryable: true },
  )
}

function isProtected({ project, ref, branch }: Removal): ActionFailure {
  const what = branch.default ? 'is now the default branch' : 'is protected'
  return new ActionFailure(
    'branch_protected',
    `The branch ${ref.name} of the Neon project ${project} ${what}, so it was left as it is. If it is not to be kept, change that in Neon's console, and the cleanup is tried again; to keep it, rename it.`,
    { retryable: true },
  )
}
