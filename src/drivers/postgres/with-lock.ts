import type { DriverCall } from '../driver.ts'
import { type Connection, watchForOurDeath, withConnection } from './connection.ts'
import type { ServerAddress } from './server-address.ts'

/**
 * Waits until no other session works on the name, and does `work` while others are kept out. Whoever creates, changes
 * or drops does it on the very connection that holds the lock: a copy whose client died still holds it, so a delete
 * waits for the copy instead of finding nothing.
 *
 * Postgres keeps these locks per database: all of Holdpoint must use the same maintenance database.
 */
export async function withLock<Result>(
  address: ServerAddress,
  { name, call }: { name: string; call: DriverCall },
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  return await withConnection(address, { signal: call.signal }, async (connection) => {
    await watchForOurDeath(connection)
    await connection.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name])
    return await work(connection)
  })
}
