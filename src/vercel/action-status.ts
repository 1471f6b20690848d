import { type ActionKey, actionWorkflowId } from '../domain/action-key.ts'
import type { ActionStatus } from '../domain/action-status.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { VercelApiError } from './errors.ts'
import { shorten } from './shorten.ts'

/**
 * Tells Vercel where an action stands (PATCH …/actions/{action}). Resolves once Vercel has taken it; the second time
 * Vercel's answer is not documented. Throws `VercelApiError`: with the status 429 also when it was not sent because
 * the pace does not allow it yet, or Vercel says so; `retryAfterMs` is then when its turn comes.
 */
export async function updateActionStatus(
  connection: VercelConnection,
  key: ActionKey,
  status: ActionStatus,
  signal?: AbortSignal,
): Promise<void> {
  takeTurn(connection, key, status)
  const sent = requestVercel(connection, {
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
  await sent.catch((error: unknown) => {
    if (!(error instanceof VercelApiError) || error.status !== 429) throw error
    connection.pace?.refused(key.installationId, error.retryAfterMs)
    takeTurn(connection, key, status)
    throw error
  })
  connection.pace?.taken(key.installationId)
}

/** Throws unless the pace allows this update now. */
function takeTurn({ pace }: VercelConnection, key: ActionKey, status: ActionStatus): void {
  if (!pace) return
  const { installationId } = key
  const turn =
    status.kind === 'running'
      ? { admitted: pace.admitRunning(installationId), afterMs: 0 }
      : pace.admitTerminal({ installationId, ticket: actionWorkflowId(key) })
  if (turn.admitted) return
  throw new VercelApiError(
    `The installation has sent as many updates as Vercel takes a minute, so ${status.kind} waits for its turn.`,
    { status: 429, code: 'paced', mayHaveActed: false, retryAfterMs: turn.afterMs },
  )
}

function statusBody(status: ActionStatus): Record<string, unknown> {
  switch (status.kind) {
    case 'running':
      return {
        status: 'running',
        ...(status.progress && { statusText: shorten(status.progress) }),
      }
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
