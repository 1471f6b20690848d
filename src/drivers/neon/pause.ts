import { setTimeout as sleep } from 'node:timers/promises'

const FIRST_MS = 100
const LONGEST_MS = 2_000

/** Waits; throws the signal's reason as soon as it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await sleep(ms, undefined, { signal }).catch(() => {})
  signal.throwIfAborted()
}

/** How long to wait after the `attempt`th try (1, 2, …), in milliseconds: longer each time, never the same for two. */
export function backoffMs(attempt: number): number {
  const longest = Math.min(FIRST_MS * 1.6 ** (attempt - 1), LONGEST_MS)
  return longest * (0.75 + Math.random() / 4)
}
