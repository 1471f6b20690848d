import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { inject } from 'vitest'
import '../servers/provided-context.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { startEmbeddedPostgres } from '../../src/drivers/postgres/embedded-server.ts'
import { startDevServer } from '../../src/temporal/dev-server.ts'
import { freePort } from '../../src/temporal/embedded-ports.ts'
import { isRunning } from '../../src/temporal/embedded-process.ts'

/** A server that can be killed, and started again on the same data and port. */
export interface KillableServer {
  readonly port: number
  /** Ends it as a crash would; returns when it is gone. */
  kill(): Promise<void>
  /** Returns when it serves again. */
  start(): Promise<void>
  /** Has it stand still, or go on, as a machine that is paused. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
}

/** A real Temporal with a database file and a real Postgres, of a test file alone. */
export interface Servers {
  readonly temporal: KillableServer
  readonly postgres: KillableServer
  /** The superuser's connection URL. */
  readonly postgresUrl: string
  /** A new namespace, and a client for it. */
  createNamespace(): Promise<{ namespace: string; client: Client }>
  stop(): Promise<void>
}

export async function startServers(): Promise<Servers> {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-faults-'))
  // Postgres may run as another user, who has to get in.
  await chmod(directory, 0o755)
  const [temporal, postgres] = await Promise.all([
    startTemporal(join(directory, 'temporal')),
    startPostgres(join(directory, 'postgres')),
  ])
  const connection = Connection.lazy({ address: `127.0.0.1:${temporal.port}` })
  return {
    temporal,
    postgres,
    postgresUrl: postgres.url,
    async createNamespace() {
      const namespace = `faults-${randomUUID().slice(0, 8)}`
      await connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: msToTs('3 days'),
      })
      return { namespace, client: new Client({ connection, namespace }) }
    },
    async stop() {
      await connection.close()
      await Promise.all([temporal.kill(), postgres.kill()])
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function startTemporal(directory: string): Promise<KillableServer> {
  const [port, uiPort] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')]
  const run = () =>
    startDevServer({
      cliPath: inject('cliPath'),
      directory: join(directory, 'data'),
      logFile: join(directory, 'server.log'),
      port,
      uiPort,
    })
  let server = await run()
  return {
    port,
    kill: () => killProcess(server.pid, 'SIGKILL'),
    signal: (signal) => process.kill(server.pid, signal),
    start: async () => void (server = await run()),
  }
}

async function startPostgres(directory: string): Promise<KillableServer & { url: string }> {
  await mkdir(directory)
  const port = await freePort('127.0.0.1')
  // Not synced to disk: only processes die here, not the machine.
  const run = () =>
    startEmbeddedPostgres({ directory, port, ephemeral: true, onProgress: () => {} })
  let server = await run()
  // But written at each commit: what a crash of Postgres itself forgets, nobody promised to keep.
  await sql(server.url, 'ALTER ROLE CURRENT_USER SET synchronous_commit = on')
  await sql(server.url, 'CHECKPOINT')
  return {
    port,
    url: server.url,
    // Postgres's own word for a crash: every session is cut, and the next start recovers from the log.
    kill: () => killProcess(server.pid, 'SIGQUIT'),
    signal: (signal) => process.kill(server.pid, signal),
    start: async () => void (server = await run()),
  }
}

async function killProcess(pid: number, signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
  if (await isRunning(pid)) process.kill(pid, signal)
  while (await isRunning(pid)) await sleep(10)
}
