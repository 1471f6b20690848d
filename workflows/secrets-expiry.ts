import { setCurrentDetails, sleep } from '@temporalio/workflow'
import type { SecretsExpiryRequest } from '../src/domain/resource-run.ts'
import { expireSecrets } from './activities.ts'
import { explainFailure } from './explain-failure.ts'
import { showPhase } from './show-phase.ts'

/**
 * Waits until the time of the old secrets of a rotation is over, and ends them. When the resource is gone by then there
 * is nothing to do. Ends as Failed when the provider refuses for good.
 */
export async function secretsExpiry(request: SecretsExpiryRequest): Promise<void> {
  const { key, keepOldMs, reference } = request
  if (keepOldMs > 0) await sleep(keepOldMs)
  try {
    await expireSecrets({ key, ...(reference !== undefined && { reference }) })
  } catch (error) {
    const failure = explainFailure(error)
    showPhase({ phase: 'failed', because: failure.message })
    throw failure
  }
  setCurrentDetails('**expired**: the old secrets open nothing any more.')
}
