import type { Dependencies } from './dependencies.ts'

export function createRunActivities({ cancelRun }: Dependencies) {
  return {
    /** Asks Temporal to cancel the run that calls this, so that it may end as Canceled. */
    async requestCancellation(run: { workflowId: string; runId: string }): Promise<void> {
      await cancelRun(run)
    },
  }
}
