import type { Info } from '@temporalio/activity'
import {
  DefaultFailureConverter,
  defaultPayloadConverter,
  noopMetricMeter,
  type Payload,
  type RetryPolicy,
} from '@temporalio/common'
import type { ActivityCancellationDetails } from '@temporalio/common/lib/activity-cancellation-details.js'
import type proto from '@temporalio/proto'
import { Activity, type CancelReason } from '@temporalio/worker/lib/activity.js'

export type ActivityResult = proto.coresdk.activity_result.IActivityExecutionResult

export interface ActivityExecution {
  cancel(reason: CancelReason, details: ActivityCancellationDetails): void
}

const nothing = () => {}
const silentLogger = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
}
const dataConverter = {
  payloadConverter: defaultPayloadConverter,
  failureConverter: new DefaultFailureConverter(),
  payloadCodecs: [],
}

/** Runs one attempt of an activity as the SDK's worker does, its arguments and its result as payloads. */
export function executeActivity(attempt: {
  readonly run: { workflowId: string; runId: string; type: string }
  readonly activity: {
    seq: number
    type: string
    input: readonly Payload[]
    attempt: number
    retry: RetryPolicy
    startToCloseMs: number
    scheduleToCloseMs: number
    heartbeatMs: number
    scheduledAt: number
  }
  readonly token: string
  readonly isLocal: boolean
  readonly fn: (...args: never[]) => Promise<unknown>
  onHeartbeat(): void
  onEnd(result: ActivityResult): void
}): ActivityExecution {
  const { run, activity, token } = attempt
  const taskToken = Buffer.from(token)
  const info = {
    taskToken,
    base64TaskToken: taskToken.toString('base64'),
    activityId: `${activity.seq}`,
    activityType: activity.type,
    activityNamespace: 'model',
    namespace: 'model',
    workflowNamespace: 'model',
    attempt: activity.attempt,
    isLocal: attempt.isLocal,
    inWorkflow: true,
    workflowExecution: { workflowId: run.workflowId, runId: run.runId },
    workflowType: run.type,
    taskQueue: 'model',
    retryPolicy: activity.retry,
    startToCloseTimeoutMs: activity.startToCloseMs,
    scheduledTimestampMs: activity.scheduledAt,
  } as unknown as Info
  const execution = new Activity(
    info,
    attempt.fn as (...args: unknown[]) => Promise<unknown>,
    dataConverter,
    undefined as never,
    undefined,
    () => attempt.onHeartbeat(),
    undefined,
    silentLogger,
    noopMetricMeter,
    [],
  )
  const args = activity.input.map((payload) => defaultPayloadConverter.fromPayload(payload))
  void execution.run({ args, headers: {} }).then((result) => attempt.onEnd(result))
  return { cancel: (reason, details) => execution.cancel(reason, details) }
}
