import type { Connection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import { identifier } from './sql.ts'

/** Drops the database with all sessions on it. Its owner must have been verified. */
export async function dropDatabase(connection: Connection, name: string): Promise<void> {
  const drop = `DROP DATABASE IF EXISTS ${identifier(name)}`
  try {
    await connection.query(`${drop} WITH (FORCE)`)
  } catch (error) {
    switch (errorCode(error)) {
      case '42809':
        // A template is not dropped, and its own user may have made it one.
        await connection.query(`ALTER DATABASE ${identifier(name)} IS_TEMPLATE false`)
        await connection.query(`${drop} WITH (FORCE)`)
        break
      case '42501':
        // Only a superuser may cut off every session. Without force the server ends its own, an autovacuum say, and
        // waits a few seconds for the others to leave; then this is tried again.
        await connection.query(drop)
        break
      case undefined:
      default:
        throw error
    }
  }
}
