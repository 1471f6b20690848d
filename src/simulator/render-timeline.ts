import { html } from 'hono/html'
import { clockTime } from './render-deployment.ts'
import type { Fragment } from './fragment.ts'
import type { PartnerRecord, RequestRecord, TimelineEvent, WebhookRecord } from './timeline.ts'

const MAX_ROWS = 40

type Shown = WebhookRecord | RequestRecord | PartnerRecord

/** The last webhooks, updates and calls, the newest first; of an update its status and nothing else of its body. */
export function renderTimeline(records: readonly TimelineEvent[]): Fragment {
  const shown = records
    .slice(-20 * MAX_ROWS)
    .filter((record): record is Shown => isShown(record))
    .slice(-MAX_ROWS)
    .reverse()
  if (shown.length === 0) return html`<p>None yet.</p>`
  return html`<table>
    ${shown.map(renderRecord)}
  </table>`
}

function renderRecord(record: Shown): Fragment {
  switch (record.kind) {
    case 'webhook':
      return renderWebhook(record)
    case 'request':
      return isAboutInstallation(record) ? renderCall(record) : renderUpdate(record)
    case 'partner':
      return renderCall(record)
  }
}

function isShown(record: TimelineEvent): boolean {
  if (record.kind === 'request')
    return record.method === 'PATCH' || (record.method !== 'GET' && isAboutInstallation(record))
  return record.kind === 'webhook' || record.kind === 'partner'
}

function isAboutInstallation({ path }: RequestRecord): boolean {
  return path.startsWith('/v1/installations/')
}

// The provider's calls of Vercel and Vercel's of the provider have the same form.
function renderCall(record: RequestRecord | PartnerRecord): Fragment {
  const { at, method, path, status } = record
  const lost = record.kind === 'partner' && record.lost
  return html`<tr>
    <td>${clockTime(at)}</td>
    <td>${record.kind === 'partner' ? 'to' : 'from'} the provider: ${method}</td>
    <td>${status ?? 'no answer'}${lost ? ', lost' : ''}</td>
    <td>${path.split('?')[0]}</td>
    <td>${record.kind === 'partner' ? (record.error ?? '') : ''}</td>
  </tr>`
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
  const isCheckRun = parts[4] === 'check-runs' || parts[4] === 'checks'
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
