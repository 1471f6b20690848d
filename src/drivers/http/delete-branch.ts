import { setTimeout as sleep } from 'node:timers/promises'
import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import { providerFailure } from './describe-problem.ts'
import { pollBranch } from './poll-branch.ts'
import { type Provider, type ProviderAnswer, send, signed } from './provider.ts'

/** Has the provider delete the branch, and waits until nothing is there. Succeeds when there was nothing. */
export async function deleteBranch(
  provider: Provider,
  ref: BranchRef,
  call: DriverCall,
): Promise<void> {
  const errand = { doing: `the branch ${ref.name} is not deleted`, signal: call.signal }
  const request = signed(provider, {
    method: 'DELETE',
    path: ['branches', ref.name],
    body: { owner: ref.owner },
  })
  const answer = await send(provider, request, errand).catch(whenMissing)
  if (answer === 'missing' || answer.status === 204) return
  const { state, error, retryAfterMs } = await pollBranch(
    provider,
    {
      ref,
      settled: ['absent', 'failed', 'complete', 'making'],
      retryAfterMs: answer.retryAfterMs,
      pause,
    },
    errand,
  )
  if (state === 'absent') return
  if (state === 'failed' && error)
    throw providerFailure(error, errand.doing, { answered: 'gave up deleting it', retryAfterMs })
  throw new ActionFailure(
    'branch_still_there',
    `The provider took the deletion but the branch is ${state}, so ${errand.doing}. It is tried again; the provider's own log has the details.`,
    { retryable: true, retryAfterMs },
  )
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
  signal.throwIfAborted()
}

/** A 404 of anybody on the way does not say it: only the provider itself knows this code. */
function whenMissing(error: unknown): 'missing' | ProviderAnswer {
  if (error instanceof ActionFailure && error.code === 'branch_missing') return 'missing'
  throw error
}
