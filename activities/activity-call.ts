import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import { msToNumber } from '@temporalio/common/lib/time.js'
import type { ActionCall } from '../src/actions/define-action.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import type { Log } from '../src/log.ts'
import { VercelApiError } from '../src/vercel/errors.ts'
import type { Dependencies } from './dependencies.ts'

const HEARTBEAT_EVERY_MS = 500

/** What every function of an action or driver gets, but the key. */
export type StepCall = Omit<ActionCall, 'key'>

/**
 * Runs a step of an action as the activity in hand: heartbeats twice a second, so that a lost worker is noticed within
 * the heartbeat timeout and a cancel is heard; passes the abort signal; and turns what the step throws into a
 * failure that Temporal retries or not, until the deadline. `ids` say in logs what the step is about.
 */
export async function runStep<Result>(
  {
    log,
    holdpoint,
    deriveSecrets,
    confirmAttempt,
  }: Pick<Dependencies, 'log' | 'holdpoint' | 'deriveSecrets' | 'confirmAttempt'>,
  ids: object,
  step: (call: StepCall) => Promise<Result>,
  deadlineAt?: number,
): Promise<Result> {
  const context = Context.current()
  let news: string | undefined
  // A local activity has no heartbeat: its worker's task stands for it.
  const { isLocal, taskToken } = context.info
  const beat = () => isLocal || context.heartbeat(news)
  const pulse = setInterval(beat, HEARTBEAT_EVERY_MS)
  try {
    return await step({
      log,
      holdpoint,
      deriveSecrets,
      signal: context.cancellationSignal,
      // What runs locally reads and reports; it makes nothing.
      confirm: async () => {
        if (!isLocal) await confirmAttempt(taskToken)
      },
      progress(text) {
        news = text
        beat()
      },
    })
  } catch (error) {
    if (context.cancellationSignal.aborted)
      throw new CancelledFailure('The step was stopped.', [], asError(error))
    throw activityFailure(error, ids, log, deadlineAt)
  } finally {
    clearInterval(pulse)
  }
}

/**
 * The failure that Temporal keeps and retries by. Its text is one that was written for people, or says nothing. When
 * the next try would begin past the deadline (milliseconds since 1970), it is final now: so people read what was
 * wrong, and not just that the time is over.
 */
export function activityFailure(
  error: unknown,
  ids: object,
  log: Log,
  deadlineAt = Infinity,
): ApplicationFailure {
  const known = knownFailure(error, ids, log)
  const pauseMs = known.nextRetryDelay ? msToNumber(known.nextRetryDelay) : nextPauseMs()
  if (known.nonRetryable || Date.now() + pauseMs < deadlineAt) return known
  return ApplicationFailure.nonRetryable(
    `${known.message} It was tried until the deadline, then it was given up.`,
    known.type,
  )
}

/** How long Temporal waits before the next try of this activity. */
function nextPauseMs(): number {
  const { attempt, retryPolicy = {} } = Context.current().info
  const { initialInterval = '1 second', backoffCoefficient = 2 } = retryPolicy
  const pauseMs = msToNumber(initialInterval) * backoffCoefficient ** (attempt - 1)
  return Math.min(pauseMs, msToNumber(retryPolicy.maximumInterval ?? '1 minute'))
}

function knownFailure(error: unknown, ids: object, log: Log): ApplicationFailure {
  if (error instanceof ActionFailure) {
    return failure(error.code, error.message, error.retryable, error.retryAfterMs)
  }
  if (error instanceof VercelApiError) {
    return failure(`vercel_${error.code}`, error.message, error.retryable, error.retryAfterMs)
  }
  // Nobody knows what the message of an unforeseen error holds, and histories keep what they are given.
  log.error('activity.unforeseen_error', { ...ids, error })
  const name = error instanceof Error ? error.name : typeof error
  return failure(
    'internal',
    `The provider's code stopped on an internal error (${name}): its log has the details.`,
    true,
  )
}

function failure(
  type: string,
  message: string,
  retryable: boolean,
  retryAfterMs?: number,
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: !retryable,
    ...(retryAfterMs !== undefined && { nextRetryDelay: retryAfterMs }),
  })
}

function asError(error: unknown): Error | undefined {
  // Only what was written for people may enter the history, as the cause of the cancellation too.
  return error instanceof ActionFailure ? error : undefined
}
