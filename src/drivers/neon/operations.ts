import type { RequestParams } from '@neondatabase/api-client'
import { ActionFailure } from '../../domain/failure.ts'
import type { Neon, NeonApi } from './client.ts'
import { type NeonOperation, operationAnswer, operationsAnswer } from './neon-answers.ts'
import { isMissing } from './neon-error.ts'
import { backoffMs, pause } from './pause.ts'

/** How Neon names the end of an operation. Whatever else it says, it is still at work. */
const GOOD_ENDS = ['finished', 'skipped']
const BAD_ENDS = ['failed', 'error', 'cancelled']

const LONGEST_MS = 4 * 60_000
const NEWEST = 200

/**
 * Waits until each of them has ended; answers those that ended without success. Throws after four minutes, to be tried
 * again.
 */
export async function waitForOperations(
  neon: Neon,
  { project, operations }: { project: string; operations: readonly NeonOperation[] },
  signal: AbortSignal,
): Promise<NeonOperation[]> {
  const end = performance.now() + LONGEST_MS
  const failed: NeonOperation[] = []
  for (const operation of operations) {
    let now = operation
    for (let attempt = 1; !hasEnded(now); attempt += 1) {
      if (performance.now() > end) throw takesTooLong(project, now)
      await pause(backoffMs(attempt), signal)
      now = await operationNow(neon, { project, operation }, signal)
    }
    if (!GOOD_ENDS.includes(now.status)) failed.push(now)
  }
  return failed
}

/** What Neon did and does on the branch, of the newest operations of its project. */
export async function operationsOf(
  neon: Neon,
  { project, branchId }: { project: string; branchId: string },
  signal: AbortSignal,
): Promise<NeonOperation[]> {
  const { operations } = await neon.ask(
    {
      what: `the list of operations of ${project}`,
      send: (api, params) =>
        api.listProjectOperations({ projectId: project, limit: NEWEST }, params),
      answer: operationsAnswer,
    },
    signal,
  )
  return operations.filter(({ branch_id }) => branch_id === branchId)
}

async function operationNow(
  neon: Neon,
  { project, operation }: { project: string; operation: NeonOperation },
  signal: AbortSignal,
): Promise<NeonOperation> {
  const request = {
    what: `the operation ${operation.action} of ${project}`,
    send: (api: NeonApi, params: RequestParams) =>
      api.getProjectOperation(project, operation.id, params),
    answer: operationAnswer,
  }
  try {
    return (await neon.ask(request, signal)).operation
  } catch (error) {
    // With its project everything about it is gone, and whoever waits for it sees that next.
    if (isMissing(error)) return { ...operation, status: 'skipped' }
    throw error
  }
}

function hasEnded({ status }: NeonOperation): boolean {
  return GOOD_ENDS.includes(status) || BAD_ENDS.includes(status)
}

function takesTooLong(project: string, { action, status }: NeonOperation): ActionFailure {
  return new ActionFailure(
    'neon_operation_slow',
    `Neon has been at ${action} in the project ${project} for over ${LONGEST_MS / 60_000} minutes (${status}), so the branch is not what it should be yet. It is looked at again; Neon's console shows the operation.`,
    { retryable: true },
  )
}
