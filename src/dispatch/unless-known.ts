import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'

/** Starts a workflow; `duplicate` when Temporal refuses that, because it has one of the same id. */
export async function unlessKnown(
  start: () => Promise<unknown>,
): Promise<'accepted' | 'duplicate'> {
  try {
    await start()
    return 'accepted'
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'duplicate'
    throw error
  }
}
