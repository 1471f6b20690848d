import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@temporalio/client'
import {
  type InternalConnectionOptions,
  InternalConnectionOptionsSymbol,
} from '@temporalio/client/lib/connection.js'
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js'
import { TimeSkippingClient } from '@temporalio/testing/lib/client.js'
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker'
import { inject } from 'vitest'
import { addSearchAttributes } from '../../src/temporal/prepare-namespace.ts'
import { ownTimeSkippingServer } from './own-servers.ts'
import './provided-context.ts'

/** A namespace of one's own on a shared server. */
export interface TemporalEnvironment {
  /** Over `nativeConnection`, so that eager starts work when a worker shares it. */
  readonly client: Client
  readonly nativeConnection: NativeConnection
  readonly address: string
  readonly namespace: string
  readonly taskQueue: string
  /** For `Worker.create`. */
  readonly workflowBundle: { codePath: string }
  /** On the time-skipping server time leaps while this, or a result asked of `client`, is awaited, and only then. */
  sleep(ms: number): Promise<void>
  /** The server's time, which is not the machine's once it has skipped. */
  currentTimeMs(): Promise<number>
  /** Closes the connection. Shut down the workers first. */
  teardown(): Promise<void>
}

/**
 * A fresh namespace on the time-skipping server, with Holdpoint's search attributes. Months pass in a second while a
 * result is awaited. It lacks lists, counts, resets and schedules, is not made for load, and refuses the task of a
 * run that cancels an activity which has just completed: what is about cancels goes on a real server.
 */
export async function timeSkippingEnvironment(): Promise<TemporalEnvironment> {
  return connect(ownTimeSkippingServer().address, { skipsTime: true })
}

/** A fresh namespace on a real server, with Holdpoint's search attributes; time passes as it does. */
export async function devServerEnvironment(): Promise<TemporalEnvironment> {
  const server = inject('devServer')
  if (!server) throw missing('dev server')
  return connect(server.address, { skipsTime: false })
}

async function connect(
  address: string,
  { skipsTime }: { skipsTime: boolean },
): Promise<TemporalEnvironment> {
  const codePath = inject('workflowBundle')
  if (!codePath) throw missing('workflow bundle')
  const namespace = `test-${randomUUID().slice(0, 8)}`
  const options: NativeConnectionOptions & InternalConnectionOptions = {
    address,
    [InternalConnectionOptionsSymbol]: { supportsTestService: skipsTime },
  }
  const nativeConnection = await NativeConnection.connect(options)
  const client = new (skipsTime ? TimeSkippingClient : Client)({
    connection: nativeConnection,
    namespace,
  })
  // The time-skipping server makes a namespace when it first hears of it, and offers no other way.
  if (!skipsTime) await registerNamespace(nativeConnection, namespace)
  await addSearchAttributes(nativeConnection, namespace)
  const { testService } = nativeConnection
  return {
    client,
    nativeConnection,
    address,
    namespace,
    taskQueue: `queue-${namespace}`,
    workflowBundle: { codePath },
    sleep: async (ms) => {
      if (testService) await testService.unlockTimeSkippingWithSleep({ duration: msToTs(ms) })
      else await sleep(ms)
    },
    currentTimeMs: async () =>
      testService ? tsToMs((await testService.getCurrentTime({})).time) : Date.now(),
    teardown: () => nativeConnection.close(),
  }
}

async function registerNamespace(connection: NativeConnection, namespace: string): Promise<void> {
  const workflowExecutionRetentionPeriod = msToTs('3 days')
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod,
  })
}

function missing(what: string): Error {
  return new Error(`There is no ${what}: the top of this run's output says why.`)
}
