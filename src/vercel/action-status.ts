import { type ActionKey, actionWorkflowId } from '../domain/action-key.ts'
import type { ActionStatus } from '../domain/action-status.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { VercelApiError } from './errors.ts'
import { shorten } from './shorten.ts'

/**
 * Those that took a `succeeded` without secrets only with an empty list of them. Vercel's schema demands no outcomes,
 * but nothing tells whether Vercel does; an empty list might also say that the resource's own variables are to go, so
 * it is sent to nobody else.
 */
const wantingOutcomes = new WeakSet<VercelConnection>()

/**
 * Tells Vercel where an action stands (PATCH …/actions/{action}). Resolves once Vercel has taken it; the second time
 * Vercel's answer is not documented. Throws `VercelApiError`: with the status 429 also when it was not sent because
 * the pace does not allow it yet, or Vercel says so; `retryAfterMs` is then when its turn comes.
 *
 * A success without secrets leaves the deployment the resource's own variables, whether Vercel takes it without
 * outcomes or wants them.
 */
export async function updateActionStatus(
  connection: VercelConnection,
  key: ActionKey,
  status: ActionStatus,
  signal?: AbortSignal,
): Promise<void> {
  takeTurn(connection, key, status)
  const send = (body: Record<string, unknown>) =>
    requestVercel(connection, {
      method: 'PATCH',
      // prettier-ignore
      path: [
        'v1', 'deployments', key.deploymentId, 'integrations', key.installationId,
        'resources', key.resourceId, 'actions', key.action,
      ],
      body,
      installationId: key.installationId,
      ...(signal && { signal }),
    })
  try {
    await sendAsWanted(connection, status, send)
  } catch (error) {
    if (!(error instanceof VercelApiError) || error.status !== 429) throw error
    connection.pace?.refused(key.installationId, error.retryAfterMs)
    takeTurn(connection, key, status)
    throw error
  }
  connection.pace?.taken(key.installationId)
}

/** Sends the status; one without secrets that is refused as a bad request (400), once more with an empty outcome. */
async function sendAsWanted(
  connection: VercelConnection,
  status: ActionStatus,
  send: (body: Record<string, unknown>) => Promise<unknown>,
): Promise<void> {
  const body = statusBody(status)
  if (body['status'] !== 'succeeded' || body['outcomes']) return void (await send(body))
  const withOutcome = { ...body, outcomes: [{ kind: 'resource-secrets', secrets: [] }] }
  if (wantingOutcomes.has(connection)) return void (await send(withOutcome))
  try {
    await send(body)
  } catch (error) {
    if (!(error instanceof VercelApiError) || error.status !== 400) throw error
    await send(withOutcome)
    wantingOutcomes.add(connection)
  }
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
        ...(status.note && { statusText: shorten(status.note) }),
        ...(secrets.length > 0 && { outcomes: [{ kind: 'resource-secrets', secrets }] }),
      }
    }
  }
}
