import { type ActionKey, actionWorkflowId } from '../src/domain/action-key.ts'
import type { Dependencies } from './dependencies.ts'

export function createRunActivities({ vercel, cancelRun }: Dependencies) {
  return {
    /** Asks Temporal to cancel the run that calls this, so that it may end as Canceled. It reports nothing any more. */
    async requestCancellation({ key, runId }: { key: ActionKey; runId: string }): Promise<void> {
      const workflowId = actionWorkflowId(key)
      vercel.pace?.leave({ installationId: key.installationId, ticket: workflowId })
      await cancelRun({ workflowId, runId })
    },
  }
}
