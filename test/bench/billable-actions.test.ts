import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { expect, test } from 'vitest'
import { billableActions } from '../../bench/billable-actions.ts'

const billed = (...events: object[]) => billableActions(historyFromJSON({ events }))

const event = (name: string, attributes: object = {}) => {
  const camelCase = name
    .toLowerCase()
    .replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return { eventType: `EVENT_TYPE_${name}`, [`${camelCase}EventAttributes`]: attributes }
}

const marker = (task: number) =>
  event('MARKER_RECORDED', {
    markerName: 'core_local_activity',
    workflowTaskCompletedEventId: String(task),
  })

const started = (attempt: number) => event('ACTIVITY_TASK_STARTED', { attempt })

test('a run is billed for its start, activities, timers, signals, upserts and local activities', () => {
  const run = [
    event('WORKFLOW_EXECUTION_STARTED'),
    event('WORKFLOW_TASK_SCHEDULED'),
    event('WORKFLOW_TASK_STARTED'),
    event('WORKFLOW_TASK_COMPLETED'),
    marker(4),
    event('ACTIVITY_TASK_SCHEDULED'),
    event('TIMER_STARTED'),
    started(1),
    event('ACTIVITY_TASK_COMPLETED'),
    event('WORKFLOW_EXECUTION_SIGNALED'),
    event('TIMER_CANCELED'),
    event('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES'),
    event('WORKFLOW_EXECUTION_COMPLETED'),
  ]
  expect(billed(...run)).toBe(6)
})

test('the local activities of one workflow task are billed once together, those of another again', () => {
  expect(billed(marker(4), marker(4), marker(4))).toBe(1)
  expect(billed(marker(4), marker(9))).toBe(2)
})

test('every further attempt of an activity is billed', () => {
  expect(billed(event('ACTIVITY_TASK_SCHEDULED'), started(3))).toBe(3)
  const meteringMetadata = { nonfirstLocalActivityExecutionAttempts: 2 }
  expect(billed(event('WORKFLOW_TASK_COMPLETED', { meteringMetadata }))).toBe(2)
})
