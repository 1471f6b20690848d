import { CancellationScope, setCurrentDetails } from '@temporalio/workflow'
import type { RemovalRequest } from '../src/domain/installation-removal.ts'
import { closeInstallation, forgetInstallation, withdrawInstallation } from './activities.ts'
import { withdrawUntilClean } from './withdraw-until-clean.ts'

/**
 * Takes back everything of an installation that is gone: tells open runs to undo themselves, has what exists destroyed
 * by the runs of its own keys, its resources too, and forgets the installation with its token last. Goes on until
 * nothing is left.
 *
 * Nothing cancels it: an installation that was removed never comes back.
 */
export async function installationRemoval(request: RemovalRequest): Promise<void> {
  const { installationId } = request
  await CancellationScope.nonCancellable(async () => {
    await closeInstallation({ installationId })
    await withdrawUntilClean(request, () => withdrawInstallation(request))
    await forgetInstallation({ installationId })
    setCurrentDetails('**removed**: nothing of the installation is left.')
  })
}
