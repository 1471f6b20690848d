import { randomUUID } from 'node:crypto'
import type { WorkerDeploymentVersion } from '@temporalio/common'
import { READINESS } from '../../workflows/messages.ts'
import { ActionFailure } from '../domain/failure.ts'
import type { TemporalLink } from './connection.ts'
import { checkPollers } from './prepare-namespace.ts'

const PROVED_WITHIN_MS = 30_000

/**
 * Runs one workflow to its end: proves Temporal, the task queue and a worker, and warms them up for the first
 * webhook. With a version, a worker of that one is proved, whether or not new work goes to it yet. Throws a retryable `ActionFailure` when no worker polls the queue, or none finishes within 30 seconds.
 */
export async function proveWorkflows(
  link: TemporalLink,
  taskQueue: string,
  version?: WorkerDeploymentVersion,
): Promise<void> {
  try {
    const { level, message } = await checkPollers(link, taskQueue)
    if (level !== 'ok') throw new Error(message)
    await link.client.workflow.execute(READINESS, {
      workflowId: `readiness~${randomUUID()}`,
      taskQueue,
      args: [],
      ...(version && { versioningOverride: { pinnedTo: version } }),
      workflowExecutionTimeout: PROVED_WITHIN_MS,
      staticSummary: 'Holdpoint started: Temporal, the task queue and a worker answer',
    })
  } catch (cause) {
    throw new ActionFailure(
      'no_worker',
      `No worker does the work of the task queue ${taskQueue}, so webhooks would be accepted and nothing done for them. Start one: holdpoint worker, or holdpoint start.`,
      { retryable: true, cause },
    )
  }
}

/** Whether Temporal answers now. Throws after `withinMs` at the latest. */
export async function pingTemporal(
  { connection, namespace }: TemporalLink,
  withinMs: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  try {
    await Promise.race([
      connection.workflowService.describeNamespace({ namespace }),
      new Promise((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`Temporal gave no answer within ${withinMs} ms.`)),
          withinMs,
        )
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
