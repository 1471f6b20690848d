import {
  ActivityCancelledError,
  ActivityNotFoundError,
  type Client,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { ActionFailure } from '../domain/failure.ts'

/**
 * Asks for the cancellation of a run; succeeds when it is closed already. A run that Temporal does not know is no
 * closed one: whoever asks waits for the cancellation, so that throws, to be asked again.
 */
export async function cancelRun(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<void> {
  const run = client.workflow.getHandle(workflowId, runId)
  try {
    await run.cancel()
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error
    const { status } = await run.describe()
    if (status.name === 'RUNNING') throw error
  }
}

/**
 * Returns while Temporal waits for this attempt of an activity. Throws a retryable `ActionFailure` when it was
 * canceled, timed out or taken over, and when Temporal does not tell.
 */
export async function confirmAttempt(client: Client, taskToken: Uint8Array): Promise<void> {
  try {
    await client.activity.heartbeat(taskToken)
  } catch (cause) {
    const givenUp =
      cause instanceof ActivityNotFoundError || cause instanceof ActivityCancelledError
    throw new ActionFailure(
      givenUp ? 'attempt_given_up' : 'temporal_unreachable',
      givenUp
        ? 'Temporal gave this attempt up while its worker stood still, so it made nothing. Where the work is still wanted, another attempt does it.'
        : 'Temporal does not tell whether this attempt is still wanted, so it made nothing. It is tried again.',
      { retryable: true, cause },
    )
  }
}
