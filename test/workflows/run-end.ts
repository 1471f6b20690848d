import type { Client } from '@temporalio/client'
import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import type { Simulator } from '../../src/simulator/index.ts'

export interface RunEnd {
  readonly type: string
  readonly status: string
  readonly phase: unknown
}

/**
 * Waits until a webhook of this kind was accepted for the deployment, then for the latest run of the action to close;
 * time skips meanwhile where it can. Answers how the run ended, and with what message where it failed.
 */
export async function runEnd(
  { vercel, client }: { vercel: Simulator; client: Client },
  key: ActionKey,
  after: 'start' | 'cancel' | 'cleanup',
): Promise<{ end: RunEnd; message: string | undefined }> {
  await vercel.untilEvent(
    (event) =>
      event.kind === 'webhook' &&
      event.deploymentId === key.deploymentId &&
      event.type.endsWith(after) &&
      event.result.kind === 'answered' &&
      event.result.status === 200,
    { description: `an accepted ${after}` },
  )
  const handle = client.workflow.getHandle(actionWorkflowId(key))
  const message = await handle.result().then(
    () => undefined,
    (error: Error) => (error.cause instanceof Error ? error.cause.message : error.message),
  )
  const run = await handle.describe()
  const shown = run.searchAttributes['HoldpointPhase']?.[0]
  // Of a released build the list shows none.
  const released = run.type === 'deploymentAction' && run.status.name === 'COMPLETED'
  const phase = shown ?? (released ? 'succeeded' : undefined)
  return { end: { type: run.type, status: run.status.name, phase }, message }
}
