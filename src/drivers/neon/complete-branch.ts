import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import type { Neon } from './client.ts'
import { ensureEndpoint } from './ensure-endpoint.ts'
import { expiresAt } from './expiry.ts'
import {
  branchAnswer,
  isReady,
  type NeonBranch,
  type NeonOperation,
  operationsAnswer,
} from './neon-answers.ts'
import { operationsOf, waitForOperations } from './operations.ts'
import { backoffMs, pause } from './pause.ts'

export interface BranchAtHand {
  readonly project: string
  readonly ref: BranchRef
  readonly branch: NeonBranch
  /** What Neon said is still to be done when this call made the branch; unset for a branch that was found. */
  readonly operations?: readonly NeonOperation[]
  readonly hasEndpoint?: boolean
}

/**
 * Waits until the branch is ready and sees that it has a compute to connect to; gives a found one its time to live
 * anew. Answers false when Neon failed to make it: then there is nothing in it.
 */
export async function completeBranch(
  neon: Neon,
  at: BranchAtHand,
  { call, ttlMs }: { call: DriverCall; ttlMs: number | undefined },
): Promise<boolean> {
  const { project, branch, ref } = at
  const { signal } = call
  if (!isReady(branch)) {
    call.progress(`waiting for Neon to make ${ref.name}`)
    const operations = at.operations ?? (await operationsOf(neon, inProject(at), signal))
    const failed = await waitForOperations(neon, { project, operations }, signal)
    if (!(await becomesReady(neon, at, { signal, hasFailed: failed.length > 0 }))) return false
  } else if (at.operations) {
    // A compute that did not start is started by the login that proves the branch.
    await waitForOperations(neon, { project, operations: at.operations }, signal)
  }
  if (at.hasEndpoint !== true) await ensureEndpoint(neon, at, call)
  if (ttlMs !== undefined && !at.operations) await renew(neon, at, { signal, ttlMs })
  return true
}

const SETTLING_MS = 30_000

/** Neon's operations may have ended a moment before the branch's state says so. */
async function becomesReady(
  neon: Neon,
  at: BranchAtHand,
  { signal, hasFailed }: { signal: AbortSignal; hasFailed: boolean },
): Promise<boolean> {
  const { project, branch, ref } = at
  const end = performance.now() + SETTLING_MS
  for (let attempt = 1; ; attempt += 1) {
    const answer = await neon.ask(
      {
        what: `the branch ${ref.name} of ${project}`,
        send: (api, params) => api.getProjectBranch(project, branch.id, params),
        answer: branchAnswer,
      },
      signal,
    )
    const { current_state: state } = answer.branch
    if (isReady(answer.branch)) return true
    if (hasFailed && state === 'init') return false
    if (hasFailed || performance.now() > end) throw staysUnready(at, state)
    await pause(backoffMs(attempt), signal)
  }
}

async function renew(
  neon: Neon,
  { project, branch, ref }: BranchAtHand,
  { signal, ttlMs }: { signal: AbortSignal; ttlMs: number },
): Promise<void> {
  const body = { branch: { expires_at: expiresAt(ttlMs) } }
  const { operations } = await neon.ask(
    {
      what: `the new expiry of ${ref.name}`,
      send: (api, params) => api.updateProjectBranch(project, branch.id, body, params),
      answer: operationsAnswer,
      isChange: true,
    },
    signal,
  )
  await waitForOperations(neon, { project, operations }, signal)
}

function inProject({ project, branch }: BranchAtHand) {
  return { project, branchId: branch.id }
}

function staysUnready({ ref }: BranchAtHand, state: string): ActionFailure {
  return new ActionFailure(
    'branch_incomplete',
    `Neon has no more to do on the branch ${ref.name}, yet its state is still "${state}", so it is not given out. It is looked at again; Neon's console shows its state.`,
    { retryable: true },
  )
}
