import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { COMPENSATION } from '../../workflows/messages.ts'
import { phaseKey } from '../../workflows/search-attributes.ts'
import type { LatestRun } from '../domain/reconciliation.ts'

/** How the latest run under the workflow id of an action key stands. Throws when Temporal does not tell. */
export async function latestRun(client: Client, workflowId: string): Promise<LatestRun> {
  try {
    const run = await client.workflow.getHandle(workflowId).describe()
    const compensates = run.type === COMPENSATION
    // One that was resumed keeps what an earlier run may have reported.
    const meantToLeave = !compensates && run.memo?.['resumed'] === true
    const phase = run.typedSearchAttributes.get(phaseKey)
    switch (run.status.name) {
      case 'COMPLETED':
        return compensates || phase === 'canceled' || phase === 'cleaned' ? 'withdrawn' : 'kept'
      case 'CANCELLED':
        return 'withdrawn'
      case 'FAILED':
        return meantToLeave ? 'kept' : 'failed'
      case 'TERMINATED':
      case 'TIMED_OUT':
        return compensates || (phase === 'undoing' && !meantToLeave) ? 'failed' : 'broken'
      case 'RUNNING':
      case 'PAUSED':
      // A status of a later server says nothing that one could act on.
      case 'CONTINUED_AS_NEW':
      case 'UNSPECIFIED':
      case 'UNKNOWN':
        return 'open'
    }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'none'
    throw error
  }
}
