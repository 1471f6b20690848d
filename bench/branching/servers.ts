import { mkdtemp, rm, chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { withClient } from './with-client.ts'
import { startEmbeddedPostgres } from '../../src/drivers/postgres/embedded-server.ts'
import {
  findInstalledPostgres,
  startInstalledPostgres,
} from '../../test/drivers/installed-server.ts'

/** Postgres's default of 128 MB is for the smallest of machines. */
const SHARED_BUFFERS = '512MB'

/** A server that keeps its promises over a crash: `fsync`, `synchronous_commit` and `full_page_writes` are on. */
export interface DurableServer {
  readonly name: string
  readonly url: string
  /** The directory of `pg_dump` and `psql` of its version, where there is one. */
  readonly tools: string | undefined
  /** Ends the server and deletes its data. */
  stop(): Promise<void>
}

/** The embedded server, and the one that the Linux distribution installed where there is one; data in `parent`. */
export async function startServers(parent: string): Promise<DurableServer[]> {
  const servers = [await startEmbedded(parent)]
  const tools = await findInstalledPostgres()
  if (tools !== undefined) servers.push(await startInstalled(tools, parent))
  return servers
}

async function startEmbedded(parent: string): Promise<DurableServer> {
  const directory = await mkdtemp(join(parent, 'holdpoint-branching-'))
  await chmod(directory, 0o755)
  const start = () => startEmbeddedPostgres({ directory, onProgress: () => {} })
  const first = await start()
  await withClient(first.url, (client) =>
    client.query(`ALTER SYSTEM SET shared_buffers = '${SHARED_BUFFERS}'`),
  )
  await first.stop()
  const server = await start()
  return {
    name: 'embedded Postgres',
    url: server.url,
    tools: undefined,
    async stop() {
      await server.stop()
      for (const made of [directory, server.directory])
        await rm(made, { recursive: true, force: true })
    },
  }
}

async function startInstalled(tools: string, parent: string): Promise<DurableServer> {
  const server = await startInstalledPostgres(tools, {
    parent,
    settings: [`shared_buffers=${SHARED_BUFFERS}`],
  })
  return { name: 'installed Postgres', url: server.url, tools, stop: () => server.stop() }
}
