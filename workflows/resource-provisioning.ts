import { ApplicationFailure } from '@temporalio/workflow'
import type { ResourceRequest } from '../src/domain/resource-run.ts'
import { deprovisionResource, openResource, provisionResource } from './activities.ts'
import { Compensations } from './compensations.ts'
import { explainFailure } from './explain-failure.ts'
import { ResourceWork } from './resource-work.ts'
import { showPhase } from './show-phase.ts'

/**
 * Provisions a resource that the store has as pending. One that fails, or takes too long, is undone and forgotten; one
 * that is removed meanwhile goes on as its removal. Of one that is provisioned already nothing is done.
 *
 * Ends as Completed when the resource is there, else as Failed with a sentence for the customer.
 */
export async function resourceProvisioning({ key, deadlineMs }: ResourceRequest): Promise<void> {
  const work = new ResourceWork(key, 'provisioning')
  const compensations = new Compensations()
  const failure = await work.attempt(deadlineMs, async (deadlineAt) => {
    const standing = await openResource({ key })
    if (standing === 'provisioned') return
    if (standing === 'unknown')
      throw ApplicationFailure.nonRetryable(
        'The resource is not wanted any more, so nothing was made: provision another one.',
        'resource_unknown',
      )
    compensations.add(() => deprovisionResource({ key }))
    await provisionResource({ key, deadlineAt })
  })
  // The removal undoes as well.
  if (work.removed) return await work.goOnAsRemoval()
  let leftover: ApplicationFailure | undefined
  if (failure) {
    showPhase({ phase: 'undoing', because: failure.message })
    leftover = await compensations.run().then(() => undefined, explainFailure)
  }
  const told = await work.announce(failure?.message)
  if (work.removed) return await work.goOnAsRemoval()
  const end =
    leftover ??
    failure ??
    (told ? undefined : work.notAnnounced('The resource is there: have it shown by Vercel.'))
  if (!end) return
  showPhase({ phase: 'failed', because: end.message })
  throw end
}
