import { html } from 'hono/html'
import { clockTime } from './render-deployment.ts'
import type { Fragment } from './fragment.ts'
import type { RequestRecord, TimelineEvent, WebhookRecord } from './timeline.ts'

const MAX_ROWS = 40

/** The last webhooks and updates, the newest first; of an update its status and nothing else of its body. */
export function renderTimeline(records: readonly TimelineEvent[]): Fragment {
  const shown = records
    .slice(-20 * MAX_ROWS)
    .filter((record): record is WebhookRecord | RequestRecord => isShown(record))
    .slice(-MAX_ROWS)
    .reverse()
  if (shown.length === 0) return html`<p>None yet.</p>`
  return html`<table>
    ${shown.map((record) =>
      record.kind === 'webhook' ? renderWebhook(record) : renderUpdate(record),
    )}
  </table>`
}

function isShown(record: TimelineEvent): boolean {
  return record.kind === 'webhook' || (record.kind === 'request' && record.method === 'PATCH')
}

function renderWebhook(record: WebhookRecord): Fragment {
  const attempt = record.attempt > 1 ? ` (attempt ${record.attempt})` : ''
  return html`<tr>
    <td>${clockTime(record.at)}</td>
    <td>${record.type}${attempt}</td>
    <td>${outcomeOf(record)}</td>
    <td>${record.resourceId ?? ''} ${record.action ?? record.checkRunId ?? ''}</td>
    <td><code>${record.deploymentId ?? ''}</code></td>
  </tr>`
}

function outcomeOf({ result, retryInMs }: WebhookRecord): string {
  const retry = retryInMs === undefined ? '' : `, again in ${retryInMs} ms`
  switch (result.kind) {
    case 'answered':
      return `${result.status} after ${result.durationMs} ms${retry}`
    case 'unanswered':
      return `${result.error}${retry}`
    case 'held':
    case 'dropped':
    case 'paused':
      return result.kind
  }
}

function renderUpdate({ at, body, status, fault, path, deploymentId }: RequestRecord): Fragment {
  const reported =
    typeof body === 'object' && body !== null && 'status' in body ? String(body.status) : ''
  const parts = path.split('?')[0]?.split('/').map(decode) ?? []
  const isCheckRun = parts[4] === 'check-runs'
  const [resource = '', action = ''] = isCheckRun ? ['check', parts[5]] : [parts[7], parts[9]]
  return html`<tr>
    <td>${clockTime(at)}</td>
    <td>PATCH ${reported}</td>
    <td>${status ?? ''}${typeof fault === 'string' ? ` ${fault}` : ''}</td>
    <td>${resource} ${action}</td>
    <td><code>${deploymentId ?? ''}</code></td>
  </tr>`
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
