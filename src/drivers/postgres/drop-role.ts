import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import { type Connection, withConnection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import type { ServerAddress } from './server-address.ts'
import { identifier } from './sql.ts'

/** A database where something depends on a role, and whose it is. */
export interface Place {
  readonly database: string
  readonly owner: string
  readonly ownerComment: string | null
}

interface RoleToDrop {
  readonly name: string
  readonly call: DriverCall
  /** Who gets what the role made in a place. Where there is nobody it goes with the role, which is the default. */
  readonly heirIn?: (place: Place) => string | undefined
}

/** Lets nobody log in as the role any more, and ends its sessions. */
export async function shutOut(connection: Connection, role: string): Promise<void> {
  await connection.query(`ALTER ROLE ${identifier(role)} NOLOGIN`)
  // The role could be logged in at another database of the server, where a session would outlive it.
  await connection.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()`,
    [role],
  )
}

/** Drops the role with every right it was given. The second time it does nothing. */
export async function dropRole(
  connection: Connection,
  address: ServerAddress,
  role: RoleToDrop,
): Promise<void> {
  const { name } = role
  const drop = () => connection.query(`DROP ROLE IF EXISTS ${identifier(name)}`)
  try {
    await drop()
  } catch (error) {
    if (errorCode(error) !== '2BP01') throw error
    await refuseOwnedDatabases(connection, name)
    await dropOwnedElsewhere(connection, address, role)
    await drop()
  }
}

// DROP OWNED takes what the role made in other databases and the rights it was given there. It does not cascade, so
// nothing of others goes with it. REASSIGN OWNED to anybody but an heir of the same customer would be a way up: a
// function made by the role's user could become one that runs with the administrator's rights.
async function dropOwnedElsewhere(
  connection: Connection,
  address: ServerAddress,
  { name, call, heirIn }: RoleToDrop,
): Promise<void> {
  const places = await connection.query<{ database: string; owner: string; comment: string }>(
    `SELECT DISTINCT d.datname AS database, r.rolname AS owner, shobj_description(r.oid, 'pg_authid') AS comment
      FROM pg_shdepend s
      JOIN pg_database d ON d.oid = s.dbid OR s.dbid = 0 AND d.datname = current_database()
      JOIN pg_roles r ON r.oid = d.datdba
      WHERE s.refclassid = 'pg_authid'::regclass AND d.datallowconn
        AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1)`,
    [name],
  )
  for (const { database, owner, comment } of places) {
    const heir = heirIn?.({ database, owner, ownerComment: comment })
    const role = identifier(name)
    const give = heir === undefined ? '' : `REASSIGN OWNED BY ${role} TO ${identifier(heir)};`
    await withConnection(address, { signal: call.signal, database }, (inside) =>
      inside.query(`${give} DROP OWNED BY ${role}`),
    )
  }
}

async function refuseOwnedDatabases(connection: Connection, name: string): Promise<void> {
  const owned = await connection.query<{ datname: string }>(
    `SELECT datname FROM pg_database
      WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = $1) ORDER BY datname`,
    [name],
  )
  if (owned.length === 0) return
  throw new ActionFailure(
    'role_owns_databases',
    `The role ${name} also owns ${owned.length} other database(s) that Holdpoint did not make, so the role was left there. Give them to another owner (ALTER DATABASE … OWNER TO …); the cleanup is then tried again.`,
    { retryable: true },
  )
}
