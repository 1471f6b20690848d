import type { Client } from '@temporalio/client'

const RUNS = 4
const EVENTS = 30

/** What the last runs that are still open have been through, one line for each of their last events. */
export async function describeOpenRuns(client: Client): Promise<string[]> {
  const lines: string[] = []
  let described = 0
  for await (const run of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
    if (described === RUNS) break
    described += 1
    lines.push(`${run.type} ${run.workflowId}`)
    const { events } = await client.workflow
      .getHandle(run.workflowId, run.runId)
      .fetchHistory()
      .catch(() => ({ events: [] }))
    for (const { eventId, eventTime, ...attributes } of (events ?? []).slice(-EVENTS)) {
      const at = new Date(Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6)
      const found = Object.entries(attributes).find(([name, value]) => {
        return name.endsWith('EventAttributes') && value
      })
      const name = found?.[0].replace('EventAttributes', '') ?? ''
      lines.push(`  ${Number(eventId)} ${at.toISOString()} ${name} ${detail(found?.[1])}`)
    }
  }
  return lines
}

const SHOWN = [
  'activityType',
  'attempt',
  'cause',
  'failure',
  'identity',
  'lastFailure',
  'markerName',
  'scheduledEventId',
  'signalName',
  'startToFireTimeout',
  'startedEventId',
  'taskQueue',
  'timeoutType',
  'timerId',
]

function detail(attributes: unknown): string {
  if (typeof attributes !== 'object' || attributes === null) return ''
  const shown = Object.entries(attributes).filter(([name]) => SHOWN.includes(name))
  return JSON.stringify(Object.fromEntries(shown)).slice(0, 300)
}
