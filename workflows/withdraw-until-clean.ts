import { continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow'
import type { RemovalPass } from '../src/domain/installation-removal.ts'

/** Longer than Temporal's list lags behind: a run that was accepted just before is in it by then. */
const LOOK_ONCE_MORE_AFTER_MS = 5_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10 * 60_000

/**
 * Tells what is found to go, until two looks in a row find nothing: through crashes, and with a provider that refuses;
 * why it refuses stands in the runs that it refuses. `request` is what the workflow was started with, which it is
 * started anew with when its history has grown long.
 */
export async function withdrawUntilClean(
  request: object,
  look: () => Promise<RemovalPass>,
): Promise<void> {
  let [clean, pauseMs] = [false, FIRST_PAUSE_MS]
  for (;;) {
    const { found } = await look()
    if (found === 0 && clean) return
    clean = found === 0
    setCurrentDetails(`**removing**: ${found} runs and objects were told to go.`)
    await sleep(clean ? LOOK_ONCE_MORE_AFTER_MS : pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<(request: object) => Promise<void>>(request)
  }
}
