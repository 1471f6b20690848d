import pg from 'pg'
import { withClient } from './with-client.ts'

/** Creates the database unless it is there, and answers its URL. `name` is a plain lower-case word. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  await withClient(serverUrl, async (server) => {
    const { rowCount } = await server.query('select from pg_database where datname = $1', [name])
    if (rowCount !== 0) return
    await server.query(`create database ${name}`).catch((error: unknown) => {
      // Somebody else did it at the same moment.
      if (!(error instanceof pg.DatabaseError && ['42P04', '23505'].includes(error.code ?? '')))
        throw error
    })
  })
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}
