import {
  CancellationScope,
  continueAsNew,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import type { RemovalRequest } from '../src/domain/installation-removal.ts'
import { closeInstallation, forgetInstallation, withdrawInstallation } from './activities.ts'
import type { InstallationRemoval } from './messages.ts'

/** Longer than Temporal's list lags behind: a run that was accepted just before is in it by then. */
const LOOK_ONCE_MORE_AFTER_MS = 5_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10 * 60_000

/**
 * Takes back everything of an installation that is gone: tells open runs to undo themselves, has what exists destroyed
 * by the runs of its own keys, and forgets the installation with its token last. Goes on until nothing is left, through
 * crashes and a provider that refuses; why it refuses stands in the runs of the keys.
 *
 * Nothing cancels it: an installation that was removed never comes back.
 */
export async function installationRemoval(request: RemovalRequest): Promise<void> {
  const { installationId } = request
  await CancellationScope.nonCancellable(async () => {
    await closeInstallation({ installationId })
    let [clean, pauseMs] = [false, FIRST_PAUSE_MS]
    for (;;) {
      const { found } = await withdrawInstallation(request)
      if (found === 0 && clean) break
      clean = found === 0
      setCurrentDetails(`**removing**: ${found} runs and objects were told to go.`)
      await sleep(clean ? LOOK_ONCE_MORE_AFTER_MS : pauseMs)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<InstallationRemoval>(request)
    }
    await forgetInstallation({ installationId })
    setCurrentDetails('**removed**: nothing of the installation is left.')
  })
}
