import type { WorkflowClient } from '@temporalio/client'
import type { ActionEvent } from '../domain/action-event.ts'
import { startAction } from './start-action.ts'
import { withdrawAction } from './withdraw-action.ts'

export interface Dispatch {
  readonly workflows: WorkflowClient
  readonly taskQueue: string
  /** How long the action of this slug may take, in milliseconds; a slug that is not declared gets an answer too. */
  readonly deadlineMs: (slug: string) => number
  /** How long an action may take before `running` is reported, in milliseconds; null means never. */
  readonly reportRunningAfterMs: number | null
  /**
   * Begins what a run will need while Temporal accepts it, and asks for its first task at once. Unset where another
   * process may be the one to do it: the worker is apart, or of another version.
   */
  readonly headStarts?: {
    begin(request: Pick<ActionEvent, 'key' | 'teamId' | 'options'>): string
    drop(id: string): void
  }
  /** How long Temporal may take to accept an event, in milliseconds. */
  readonly acceptWithinMs: number
}

/**
 * Hands an event to Temporal: resolves once Temporal has stored it, so that a 2xx survives the end of this process.
 * The second time it resolves with `duplicate`, or signals a run that takes the signal twice. Throws when Temporal
 * does not accept in time; a late success then does no harm, since the event will come again.
 */
export async function dispatchEvent(
  dispatch: Dispatch,
  event: ActionEvent,
): Promise<'accepted' | 'duplicate'> {
  const accepted =
    event.wish === 'run'
      ? startAction(dispatch, event)
      : withdrawAction(dispatch, event, event.wish)
  // The client's own deadline is not kept while it cannot connect.
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new Error(`Temporal did not accept the event within ${dispatch.acceptWithinMs} ms.`),
        ),
      dispatch.acceptWithinMs,
    )
  })
  try {
    return await Promise.race([accepted, late])
  } finally {
    clearTimeout(timer)
  }
}
