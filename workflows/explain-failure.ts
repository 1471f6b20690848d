import { ActivityFailure, ApplicationFailure, TemporalFailure } from '@temporalio/workflow'

/** The failure as Vercel's user and the operator read it. A mistake in this code is none: its task is retried. */
export function explainFailure(
  error: unknown,
  cutOff = 'The work was cut off and did not go on, so everything was undone: deploy again, and ask the provider if it happens again.',
): ApplicationFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error
  if (cause instanceof ApplicationFailure) {
    return ApplicationFailure.nonRetryable(cause.message, cause.type ?? 'internal')
  }
  if (!(cause instanceof TemporalFailure)) throw error
  return ApplicationFailure.nonRetryable(cutOff, 'cut_off')
}
