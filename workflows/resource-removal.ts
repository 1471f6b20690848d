import { CancellationScope, setCurrentDetails, setHandler } from '@temporalio/workflow'
import type { ResourceRemovalRequest } from '../src/domain/resource-run.ts'
import { deprovisionResource, withdrawScope } from './activities.ts'
import { explainFailure } from './explain-failure.ts'
import { cleanupSignal } from './messages.ts'
import { showPhase } from './show-phase.ts'
import { withdrawUntilClean } from './withdraw-until-clean.ts'

/**
 * Takes back a resource: first what was made of it for deployments, by the runs of their keys, then the resource itself,
 * and forgets it last. Goes on until nothing is left; ends as Failed when the provider refuses for good to take the
 * resource back. The second time it finds nothing.
 *
 * Nothing cancels it: a resource that was removed never comes back.
 */
export async function resourceRemoval(request: ResourceRemovalRequest): Promise<void> {
  const { key, because, isBare = false } = request
  // Asked for again, or the end of what this run goes on from.
  setHandler(cleanupSignal, () => {})
  await CancellationScope.nonCancellable(async () => {
    if (!isBare) await withdrawUntilClean(request, () => withdrawScope({ scope: key, because }))
    try {
      await deprovisionResource({ key })
    } catch (error) {
      const failure = explainFailure(error)
      showPhase({ phase: 'failed', because: failure.message })
      throw failure
    }
    setCurrentDetails('**removed**: nothing of the resource is left.')
  })
}
