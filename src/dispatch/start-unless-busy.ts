import {
  type WorkflowClient,
  type WorkflowExecutionDescription,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
} from '@temporalio/client'

/**
 * Starts a run, and answers it, or the open one of the same workflow id where that does just the same. Undefined while
 * something else is open under the id. It is the run itself that is answered, not what comes after it under its id.
 */
export async function startUnlessBusy(
  workflows: WorkflowClient,
  {
    workflowId,
    start,
    isSame,
  }: {
    readonly workflowId: string
    /** Fails where a run is open, and answers the id of the run. */
    readonly start: () => Promise<string>
    readonly isSame: (run: WorkflowExecutionDescription) => boolean
  },
): Promise<WorkflowHandle | undefined> {
  const run = (runId: string) => workflows.getHandle(workflowId, runId, { followRuns: false })
  for (;;) {
    try {
      return run(await start())
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    }
    const latest = await workflows.getHandle(workflowId).describe()
    // It may have ended meanwhile; its end is the answer then.
    if (isSame(latest)) return run(latest.runId)
    if (latest.status.name === 'RUNNING' || latest.status.name === 'PAUSED') return undefined
  }
}
