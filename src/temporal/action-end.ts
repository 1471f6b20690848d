import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { COMPENSATION } from '../../workflows/messages.ts'
import type { ActionEnd } from '../domain/action-run.ts'

const WITHDRAWN: ActionEnd = { phase: 'canceled', because: 'Vercel took the action back.' }

/**
 * How the latest run under the workflow id of an action ended; `open` while it is at work. A compensation takes the
 * action back, however it ends. Throws when Temporal does not tell.
 */
export async function actionEnd(
  client: Client,
  workflowId: string,
): Promise<ActionEnd | 'open' | 'none'> {
  const handle = client.workflow.getHandle(workflowId)
  try {
    const { type, status } = await handle.describe()
    if (type === COMPENSATION) return WITHDRAWN
    if (status.name === 'RUNNING' || status.name === 'PAUSED') return 'open'
    return (await handle.result()) as ActionEnd
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'none'
    if (error instanceof WorkflowFailedError) return endOf(error.cause)
    throw error
  }
}

function endOf(cause: unknown): ActionEnd {
  if (cause instanceof CancelledFailure) return WITHDRAWN
  const because =
    cause instanceof ApplicationFailure ? cause.message : 'Its run was broken off in Temporal.'
  return { phase: 'failed', because }
}
