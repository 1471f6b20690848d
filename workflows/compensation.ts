import { CancellationScope, setHandler } from '@temporalio/workflow'
import { joinWishes, type Wish } from '../src/domain/action-event.ts'
import type { ActionEnd } from '../src/domain/action-run.ts'
import { deprovision } from './activities.ts'
import { explainFailure } from './explain-failure.ts'
import { type CompensationRequest, cancelSignal, cleanupSignal } from './messages.ts'
import { showPhase } from './show-phase.ts'

/**
 * Destroys what an action left when no run of it is open, months later too: it needs no history, only the key. With
 * nothing to destroy it is the tombstone that a later start meets, because both share one workflow id.
 *
 * Ends as Completed when nothing is left, as Failed when the provider refused for good.
 */
export async function compensation(request: CompensationRequest): Promise<ActionEnd> {
  let wish: Wish = request.wish
  setHandler(cancelSignal, () => void (wish = joinWishes(wish, 'canceled')))
  setHandler(cleanupSignal, () => void (wish = joinWishes(wish, 'cleaned')))
  const refused = await CancellationScope.nonCancellable(() =>
    deprovision({ key: request.key }),
  ).then(() => undefined, explainFailure)
  if (refused) {
    showPhase({ phase: 'failed', because: refused.message })
    throw refused
  }
  const end: ActionEnd = {
    phase: wish,
    because: `Vercel wanted the action ${wish}; nothing of it is left.`,
  }
  showPhase(end)
  return end
}
