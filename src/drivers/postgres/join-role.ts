import type { Connection } from './connection.ts'
import { identifier } from './sql.ts'

/**
 * The statement that makes us a member of a role of ours; empty for a superuser. Who is none must be a member to give
 * the role a database, to comment on that, to end the role's sessions and to drop it again.
 */
export async function joinStatement(connection: Connection, role: string): Promise<string> {
  const [admin] = await connection.query<{ rolsuper: boolean }>(
    'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
  )
  return admin?.rolsuper === true ? '' : `GRANT ${identifier(role)} TO CURRENT_USER`
}
