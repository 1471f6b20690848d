import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import {
  encodeSearchAttributeIndexedValueType,
  type SearchAttributeKey,
  type SearchAttributeType,
} from '@temporalio/common/lib/search-attributes.js'
import { msToTs } from '@temporalio/common/lib/time.js'
import type { ServerPorts } from './embedded-home.ts'
import { answers } from './embedded-ports.ts'
import { isRunning } from './embedded-process.ts'

export interface WantedNamespace {
  readonly namespace?: string | undefined
  readonly searchAttributes?: readonly SearchAttributeKey<SearchAttributeType>[] | undefined
}

/**
 * Returns when the server takes work in the wanted namespace and its Web UI answers, with the search attributes
 * registered. Throws the last obstacle when process `pid` has ended or `limitMs` is over.
 */
export async function untilItServes(
  ports: ServerPorts,
  wanted: WantedNamespace,
  { pid, limitMs }: { pid: number; limitMs: number },
): Promise<void> {
  const deadline = Date.now() + limitMs
  for (;;) {
    try {
      return await mustServe(ports, wanted)
    } catch (error) {
      if (Date.now() > deadline || !(await isRunning(pid))) throw error
    }
    await sleep(25)
  }
}

async function mustServe(
  { ip, port, uiPort }: ServerPorts,
  { namespace = 'default', searchAttributes = [] }: WantedNamespace,
): Promise<void> {
  for (const each of [port, uiPort]) {
    if (!(await answers(ip, each))) throw new Error(`nobody answers on port ${each}`)
  }
  const connection = Connection.lazy({ address: `${ip}:${port}` })
  try {
    await connection.withDeadline(Date.now() + 5_000, async () => {
      await ensureNamespace(connection, namespace)
      await mustKnowWorkflows(connection, namespace)
      // Not by the server's own option: that one is only heeded while a namespace is being made.
      await addSearchAttributes(connection, namespace, searchAttributes)
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

/** Makes the search attributes known in a namespace; the second time it changes nothing. */
export async function addSearchAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
  keys: readonly SearchAttributeKey<SearchAttributeType>[],
): Promise<void> {
  const searchAttributes: Record<string, IndexedValueType> = {}
  for (const { name, type } of keys) {
    const encoded = encodeSearchAttributeIndexedValueType(type)
    if (encoded !== undefined) searchAttributes[name] = encoded
  }
  if (keys.length === 0) return
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes })
  } catch (error) {
    // The dev server says nothing, the time-skipping one does, and has them in all namespaces at once.
    if (!hasCode(error, GRPC_ALREADY_EXISTS)) throw error
  }
}

type IndexedValueType = NonNullable<ReturnType<typeof encodeSearchAttributeIndexedValueType>>

function hasCode(error: unknown, code: number): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

const GRPC_NOT_FOUND = 5
const GRPC_ALREADY_EXISTS = 6
