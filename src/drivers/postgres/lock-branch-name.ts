import { type Connection, watchForOurDeath } from './connection.ts'

/**
 * Waits until no other session works on this name, and keeps others out until the connection closes. Whoever
 * creates or drops holds it, on the very connection that does it: a copy whose client died still holds the lock,
 * so a delete waits for it instead of finding nothing.
 *
 * Postgres keeps these locks per database: all of Holdpoint must use the same maintenance database.
 */
export async function lockBranchName(connection: Connection, name: string): Promise<void> {
  await watchForOurDeath(connection)
  await connection.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name])
}
