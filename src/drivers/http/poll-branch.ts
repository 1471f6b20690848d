import type { BranchRef } from '../../domain/branch-ref.ts'
import { type FoundBranch, lookAtBranch } from './look-at-branch.ts'
import type { Errand, Provider } from './provider.ts'

export interface Poll {
  readonly ref: BranchRef
  /** The states that end it. */
  readonly settled: readonly string[]
  /** What the provider asked for in its last answer. */
  readonly retryAfterMs: number | undefined
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Hears of each look that does not end it. */
  readonly onLook?: (found: FoundBranch) => void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000
const SHORTEST_ASKED_PAUSE_MS = 100
const LONGEST_ASKED_PAUSE_MS = 60_000

/** Looks at the branch, less and less often or as the provider asks, until it is settled. Answers what is then there. */
export async function pollBranch(
  provider: Provider,
  { ref, settled, retryAfterMs, pause, onLook }: Poll,
  errand: Errand,
): Promise<FoundBranch> {
  let askedMs = retryAfterMs
  for (let looks = 0; ; looks += 1) {
    await pause(pauseMs(looks, askedMs), errand.signal)
    const found = await lookAtBranch(provider, ref, errand)
    if (settled.includes(found.state)) return found
    onLook?.(found)
    askedMs = found.retryAfterMs
  }
}

function pauseMs(looks: number, askedMs: number | undefined): number {
  return askedMs === undefined
    ? Math.min(FIRST_PAUSE_MS * 2 ** looks, LONGEST_PAUSE_MS)
    : Math.min(Math.max(askedMs, SHORTEST_ASKED_PAUSE_MS), LONGEST_ASKED_PAUSE_MS)
}
