import { randomUUID } from 'node:crypto'
import { READINESS } from '../../workflows/messages.ts'
import type { TemporalLink } from './connection.ts'

/**
 * Runs one workflow to its end: proves Temporal, the task queue and a worker, and warms them up for the first
 * webhook. Throws when that takes longer than `withinMs`.
 */
export async function proveWorkflows(
  { client }: TemporalLink,
  taskQueue: string,
  withinMs: number,
): Promise<void> {
  await client.workflow.execute(READINESS, {
    workflowId: `readiness~${randomUUID()}`,
    taskQueue,
    args: [],
    workflowExecutionTimeout: withinMs,
    staticSummary: 'Holdpoint started: Temporal, the task queue and a worker answer',
  })
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
