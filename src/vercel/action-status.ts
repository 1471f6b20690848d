import type { ActionKey } from '../domain/action-key.ts'
import type { ActionStatus } from '../domain/action-status.ts'
import { requestVercel, type VercelConnection } from './client.ts'

/** Vercel publishes no bound for `statusText`; its dashboard shows a line. */
const MAX_STATUS_TEXT = 256

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

function shorten(text: string): string {
  const characters = Array.from(text)
  return characters.length <= MAX_STATUS_TEXT
    ? text
    : `${characters.slice(0, MAX_STATUS_TEXT - 1).join('')}…`
}
