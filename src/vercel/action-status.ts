import type { ActionKey } from '../domain/action-key.ts'
import type { ActionStatus } from '../domain/action-status.ts'
import { requestVercel, type VercelConnection } from './client.ts'

// Vercel publishes no bound for `statusText`; 256 characters in all are thought to be safe.
const STATUS_TEXT_HEAD = 100
const STATUS_TEXT_TAIL = 155

/**
 * Tells Vercel where an action stands (PATCH …/actions/{action}). Resolves once Vercel has taken it; the second time
 * Vercel's answer is not documented. Throws `VercelApiError`.
 */
export async function updateActionStatus(
  connection: VercelConnection,
  key: ActionKey,
  status: ActionStatus,
  signal?: AbortSignal,
): Promise<void> {
  await requestVercel(connection, {
    method: 'PATCH',
    // prettier-ignore
    path: [
      'v1', 'deployments', key.deploymentId, 'integrations', key.installationId,
      'resources', key.resourceId, 'actions', key.action,
    ],
    body: statusBody(status),
    installationId: key.installationId,
    ...(signal && { signal }),
  })
}

function statusBody(status: ActionStatus): Record<string, unknown> {
  switch (status.kind) {
    case 'running':
      return { status: 'running' }
    case 'failed':
      return { status: 'failed', statusText: shorten(status.reason) }
    case 'succeeded': {
      const secrets = status.outcome.secrets.map(({ name, value }) => ({
        name,
        value: value.reveal(),
      }))
      return {
        status: 'succeeded',
        ...(secrets.length > 0 && { outcomes: [{ kind: 'resource-secrets', secrets }] }),
      }
    }
  }
}

// Cut in the middle: what failed stands at the beginning, and what to do, or the end of a program's output, at the end.
function shorten(text: string): string {
  const characters = Array.from(text)
  if (characters.length <= STATUS_TEXT_HEAD + 1 + STATUS_TEXT_TAIL) return text
  const head = characters.slice(0, STATUS_TEXT_HEAD).join('')
  return `${head}…${characters.slice(-STATUS_TEXT_TAIL).join('')}`
}
