import proto, { type temporal } from '@temporalio/proto'

const { EventType } = proto.temporal.api.enums.v1

const BILLED_ONCE = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
  EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
])

/**
 * How many Actions Temporal Cloud bills for a run, as far as its history tells
 * (https://docs.temporal.io/evaluate/cloud/actions): its start, each activity and each further attempt of one, each
 * timer, signal and upsert of search attributes, one for all local activities of a workflow task, and each further
 * attempt of a local activity. Not in a history, and so not counted: heartbeats that reach the server, queries, and
 * workflow task heartbeats.
 */
export function billableActions({ events }: temporal.api.history.v1.IHistory): number {
  let actions = 0
  const tasksWithMarkers = new Set<string>()
  for (const event of events ?? []) {
    const { eventType } = event
    if (eventType != null && BILLED_ONCE.has(eventType)) actions += 1
    const { attempt } = event.activityTaskStartedEventAttributes ?? {}
    if (attempt) actions += attempt - 1
    const completed = event.workflowTaskCompletedEventAttributes
    actions += completed?.meteringMetadata?.nonfirstLocalActivityExecutionAttempts ?? 0
    const marker = event.markerRecordedEventAttributes
    if (marker) tasksWithMarkers.add(String(marker.workflowTaskCompletedEventId))
  }
  return actions + tasksWithMarkers.size
}
