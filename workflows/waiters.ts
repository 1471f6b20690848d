import { CancellationScope, getExternalWorkflowHandle, setHandler } from '@temporalio/workflow'
import type { ActionEnd } from '../src/domain/action-run.ts'
import { actionEndedSignal, awaitEndSignal } from './messages.ts'

/** Those who asked to be told of the end of this run. Who does not ask costs nothing; see `untilActionEnds`. */
export class Waiters {
  readonly #workflowIds = new Set<string>()

  constructor() {
    setHandler(awaitEndSignal, ({ workflowId }) => void this.#workflowIds.add(workflowId))
  }

  /**
   * Tells them how the run ends, those too who ask meanwhile. It takes time where there are some, in which signals come
   * in: so tell first, and look last at what is wanted.
   */
  async tell(end: ActionEnd): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (const workflowId of this.#workflowIds) {
        const waiter = getExternalWorkflowHandle(workflowId)
        // One that has ended does not care.
        await waiter.signal(actionEndedSignal, end).catch(() => {})
      }
    })
  }
}
