import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import { writeMark } from './branch-mark.ts'
import type { Neon } from './client.ts'
import { type BranchAtHand, completeBranch } from './complete-branch.ts'
import { mayWrite, READ_WRITE_ENDPOINT } from './ensure-endpoint.ts'
import { expiresAt } from './expiry.ts'
import { findBranch } from './find-branch.ts'
import { findParent } from './find-parent.ts'
import { createdBranch } from './neon-answers.ts'
import { isMissing, NeonError } from './neon-error.ts'
import { pause } from './pause.ts'
import { isProjectId } from './project-id.ts'
import { removeBranch } from './remove-branch.ts'
import { limitReached, requireRoom } from './require-room.ts'

export interface CreateRequest {
  readonly source: string
  readonly ref: BranchRef
  /** The project of the source; may be anything that somebody configured. */
  readonly project: string
  /** Name or id of the branch to copy. Unset: the project's default branch. */
  readonly parent: string | undefined
  readonly ttlMs: number | undefined
}

/**
 * Makes the branch, or finds it made. The name is free once in a project, and mark, compute and expiry are in the one
 * request that takes it: so whatever is cut off, what is there tells whose it is, and a later call completes it.
 */
export async function createBranch(
  neon: Neon,
  request: CreateRequest,
  call: DriverCall,
): Promise<void> {
  const { project, ref, ttlMs } = request
  if (!isProjectId(project)) throw sourceMissing(request)
  requireNameLength(ref)
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const at = (await findMade(neon, request, call.signal)) ?? (await make(neon, request, call))
    if (await isCompleted(neon, at, { call, ttlMs })) return
    await removeBranch(neon, { project, ref, branch: at.branch }, call.signal)
  }
  throw creationFailed(request)
}

/** False also when branch or project were deleted meanwhile; the next look tells which. */
async function isCompleted(
  neon: Neon,
  at: BranchAtHand,
  how: { call: DriverCall; ttlMs: number | undefined },
): Promise<boolean> {
  try {
    return await completeBranch(neon, at, how)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function findMade(
  neon: Neon,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<BranchAtHand | undefined> {
  const { project, ref } = request
  try {
    const branch = await findBranch(neon, { project, ref }, signal)
    return branch && { project, ref, branch }
  } catch (error) {
    throw isMissing(error) ? sourceMissing(request) : error
  }
}

async function make(neon: Neon, request: CreateRequest, call: DriverCall): Promise<BranchAtHand> {
  const { project, ref, source, parent, ttlMs } = request
  const { holdpoint, signal } = call
  await requireRoom(neon, project, signal)
  const parentId = parent && (await findParent(neon, { project, parent }, signal))
  const body = {
    branch: {
      name: ref.name,
      ...(parentId && { parent_id: parentId }),
      ...(ttlMs !== undefined && { expires_at: expiresAt(ttlMs) }),
    },
    endpoints: [READ_WRITE_ENDPOINT],
    annotation_value: writeMark({ holdpoint, name: ref.name, owner: ref.owner, source }),
  }
  call.progress(`branching the Neon project ${project} to ${ref.name}`)
  try {
    const { branch, endpoints, operations } = await neon.ask(
      {
        what: `the creation of ${ref.name} in ${project}`,
        send: (api, params) => api.createProjectBranch(project, body, params),
        answer: createdBranch,
        isChange: true,
        confirm: () => call.confirm(),
      },
      signal,
    )
    const hasEndpoint = endpoints.some(mayWrite)
    return { project, ref, branch, operations, hasEndpoint }
  } catch (error) {
    return await findAfter(error, neon, request)
  }
}

/** How long a request whose answer was lost may still be at work, as pauses between looks in milliseconds. */
const LOOKS_AFTER_MS = [0, 250, 750, 2_000]
const LOOKS_TIMEOUT_MS = 20_000

/**
 * Another process took the name, or the answer was lost: then the branch may be there. That is looked up even when the
 * call was canceled, as an undo that follows must meet what comes late.
 */
async function findAfter(
  error: unknown,
  neon: Neon,
  request: CreateRequest,
): Promise<BranchAtHand> {
  if (!(error instanceof NeonError)) throw error
  if (/BRANCHES_LIMIT/.test(error.code))
    throw limitReached(request.project, 'as many branches as its plan allows')
  if (!error.mayHaveActed && error.status !== 409) throw error
  const looking = AbortSignal.timeout(LOOKS_TIMEOUT_MS)
  for (const waitMs of LOOKS_AFTER_MS) {
    await pause(waitMs, looking)
    const made = await findMade(neon, request, looking)
    if (made) return made
  }
  throw error
}

function requireNameLength({ name }: BranchRef): void {
  if (name.length >= 1 && name.length <= 256) return
  throw new ActionFailure(
    'branch_name_invalid',
    `A Neon branch cannot have a name of ${name.length} characters, so none was made. Give it one of 1 to 256.`,
    { retryable: false },
  )
}

function sourceMissing({ source, project }: CreateRequest): ActionFailure {
  const which =
    printable(project) + (source === project ? '' : ` (of the resource ${printable(source)})`)
  return new ActionFailure(
    'source_missing',
    `There is no Neon project ${which} that this API key may see, so there is nothing to branch. Check that the resource exists and that neon({ project }) names its project, and redeploy.`,
    { retryable: false },
  )
}

function creationFailed({ ref, project }: CreateRequest): ActionFailure {
  return new ActionFailure(
    'neon_operation_failed',
    `Neon failed twice to make the branch ${ref.name} of the project ${project}, so the deployment has no database. It is tried again; the operations in Neon's console tell why.`,
    { retryable: true },
  )
}

/** Other people's text in a message: one line, in double quotes, no longer than it helps. */
function printable(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
