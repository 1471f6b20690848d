import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/drivers/postgres/embedded-server.ts'
import { identifier } from '../../src/drivers/postgres/sql.ts'

/** Runs a Postgres of its own with one small database to branch. */
export async function startSourceDatabase(
  name: string,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-bench-postgres-'))
  const server = await startEmbeddedPostgres({ directory, ephemeral: true, onProgress: () => {} })
  const stop = async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await run(server.url, `CREATE DATABASE ${identifier(name)}`)
    const source = Object.assign(new URL(server.url), { pathname: `/${name}` }).href
    await run(source, 'CREATE TABLE products AS SELECT generate_series(1, 100) AS id')
    return { url: server.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
