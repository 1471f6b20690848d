import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/drivers/postgres/embedded-server.ts'
import { identifier } from '../../src/drivers/postgres/sql.ts'

/** Runs a Postgres with one small database of this name, to be branched. `stop` deletes everything. */
export async function startSourceDatabase(
  directory: string,
  name: string,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const server = await startEmbeddedPostgres({ directory, ephemeral: true, onProgress: () => {} })
  const stop = () => server.stop()
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
