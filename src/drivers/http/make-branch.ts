import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import type { Bells } from './bells.ts'
import { providerFailure, shownWords } from './describe-problem.ts'
import { type FoundBranch, lookAtBranch } from './look-at-branch.ts'
import { pollBranch } from './poll-branch.ts'
import { type Provider, send, signed } from './provider.ts'

export interface MakingAt {
  readonly provider: Provider
  readonly bells: Bells
  readonly callbackUrl: URL | undefined
}

/**
 * Asks the provider for the branch, and waits until it stands. One that stands already is left as it is; one that is in
 * the making is waited for.
 */
export async function makeBranch(
  { provider, bells, callbackUrl }: MakingAt,
  { source, ref }: { readonly source: string; readonly ref: BranchRef },
  call: DriverCall,
): Promise<void> {
  const errand = { doing: `the branch ${ref.name} was not made`, signal: call.signal }
  const { state, fence } = await lookAtBranch(provider, ref, errand)
  if (state === 'complete') return
  // Looked and signed before it asks: whatever happens to a worker that stands still from here on, the provider takes
  // this request for five minutes only, and not once it was asked to delete the branch.
  const { owner, name } = ref
  const { holdpoint } = call
  const callback = callbackUrl && { callback: callbackUrl.href }
  const request = signed(provider, {
    method: 'PUT',
    path: ['branches', name],
    body: { source, owner, holdpoint, fence, ...callback },
  })
  await call.confirm()
  call.signal.throwIfAborted()
  call.progress(`asking the provider for the branch ${name}`)
  // It may ring before the answer is here.
  const bell = bells.listen(name)
  try {
    const { status, retryAfterMs } = await send(provider, request, errand)
    if (status === 200) return
    const made = await pollBranch(
      provider,
      {
        ref,
        settled: ['complete', 'failed', 'deleting', 'absent'],
        retryAfterMs,
        pause: (ms, signal) => bell.wait(ms, signal),
        onLook: ({ progress }) =>
          call.progress(
            `the provider makes the branch ${name}: ${shownWords(progress ?? 'at work')}`,
          ),
      },
      errand,
    )
    if (made.state !== 'complete') throw notMade(made, errand.doing)
  } finally {
    bell.stop()
  }
}

function notMade({ state, error, retryAfterMs }: FoundBranch, doing: string): ActionFailure {
  if (state === 'failed' && error)
    return providerFailure(error, doing, { answered: 'gave up making it', retryAfterMs })
  return new ActionFailure(
    state === 'failed' ? 'provider_failed' : 'branch_deleted_meanwhile',
    state === 'failed'
      ? `The provider gave up without saying why, so ${doing}. It is tried again; its own log has the details.`
      : `The provider was asked to delete it at the same time, so ${doing}. It is tried again if it is still wanted.`,
    { retryable: true, retryAfterMs },
  )
}
