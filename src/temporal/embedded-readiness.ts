import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import type { ServerPorts } from './embedded-home.ts'
import { answers } from './embedded-ports.ts'
import { isRunning } from './embedded-process.ts'

/**
 * Returns when the server takes work in the namespace, which is made when missing, and its Web UI answers. Throws the last obstacle when process `pid` has ended or `limitMs` is over.
 */
export async function untilItServes(
  ports: ServerPorts,
  namespace: string,
  { pid, limitMs }: { pid: number; limitMs: number },
): Promise<void> {
  const deadline = Date.now() + limitMs
  for (;;) {
    try {
      return await mustServe(ports, namespace)
    } catch (error) {
      if (Date.now() > deadline || !(await isRunning(pid))) throw error
    }
    await sleep(25)
  }
}

async function mustServe({ ip, port, uiPort }: ServerPorts, namespace: string): Promise<void> {
  for (const each of [port, uiPort]) {
    if (!(await answers(ip, each))) throw new Error(`nobody answers on port ${each}`)
  }
  const connection = Connection.lazy({ address: `${ip}:${port}` })
  try {
    await connection.withDeadline(Date.now() + 5_000, async () => {
      await ensureNamespace(connection, namespace)
      await mustKnowWorkflows(connection, namespace)
    })
  } finally {
    await connection.close()
  }
}

async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace })
  } catch (error) {
    if (!hasCode(error, GRPC_NOT_FOUND)) throw error
    // A server that another process started for another namespace.
    const workflowExecutionRetentionPeriod = msToTs('3 days')
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod,
    })
  }
}

// The history service comes up after the port is open. That it denies a workflow shows that it is there.
async function mustKnowWorkflows(connection: Connection, namespace: string): Promise<void> {
  const execution = { workflowId: 'nobody-has-this-id' }
  try {
    await connection.workflowService.describeWorkflowExecution({ namespace, execution })
  } catch (error) {
    if (!hasCode(error, GRPC_NOT_FOUND)) throw error
  }
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

const GRPC_NOT_FOUND = 5
