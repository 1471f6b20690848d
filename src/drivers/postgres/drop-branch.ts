import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import { type Connection, withConnection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import type { FoundBranch } from './inspect-branch.ts'
import { requireOwn, requireShared } from './require-kind.ts'
import type { ServerAddress } from './server-address.ts'
import { identifier } from './sql.ts'
import { withLockedBranch } from './with-locked-branch.ts'

/** Drops the branch of one deployment, whatever is there of it. */
export async function dropBranch(
  address: ServerAddress,
  ref: BranchRef,
  call: DriverCall,
): Promise<void> {
  requireOwn(ref)
  await withLockedBranch(address, { ref, call }, async (connection, found) => {
    await dropFound(connection, address, { ref, found, call })
  })
}

/** Drops the shared branch if nobody wants it any more; answers whether nothing of it is left. */
export async function dropUnclaimed(
  address: ServerAddress,
  { ref, unclaimedForMs }: { ref: BranchRef; unclaimedForMs: number },
  call: DriverCall,
): Promise<boolean> {
  requireShared(ref)
  return await withLockedBranch(address, { ref, call }, async (connection, found) => {
    if (isWanted(found, unclaimedForMs)) return false
    await call.confirm()
    await dropFound(connection, address, { ref, found, call })
    return true
  })
}

function isWanted({ mark, ready, now }: FoundBranch, unclaimedForMs: number): boolean {
  if (mark === undefined) return false
  if (mark.claims.length > 0) return true
  const since = mark.unclaimedSince ?? mark.createdAt
  return ready && now.getTime() - since.getTime() < unclaimedForMs
}

/**
 * Drops database and role, whatever is there of them, and cuts their sessions. The role goes last, as its mark tells
 * whose the rest is.
 */
async function dropFound(
  connection: Connection,
  address: ServerAddress,
  { ref, found, call }: { ref: BranchRef; found: FoundBranch; call: DriverCall },
): Promise<void> {
  if (found.roleExists) await shutOut(connection, ref.name)
  if (found.databaseExists) await dropDatabase(connection, ref.name)
  if (found.roleExists) await dropRole(connection, address, { name: ref.name, call })
}

/** Drops the database with all sessions on it. Its owner must have been verified. */
export async function dropDatabase(connection: Connection, name: string): Promise<void> {
  const drop = `DROP DATABASE IF EXISTS ${identifier(name)}`
  try {
    await connection.query(`${drop} WITH (FORCE)`)
  } catch (error) {
    switch (errorCode(error)) {
      case '42809':
        // A template is not dropped, and the branch's user may have made it one.
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

// The role could be logged in at another database of the server, where a session would outlive it.
async function shutOut(connection: Connection, role: string): Promise<void> {
  await connection.query(`ALTER ROLE ${identifier(role)} NOLOGIN`)
  await connection.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()`,
    [role],
  )
}

async function dropRole(
  connection: Connection,
  address: ServerAddress,
  { name, call }: { name: string; call: DriverCall },
): Promise<void> {
  const drop = () => connection.query(`DROP ROLE IF EXISTS ${identifier(name)}`)
  try {
    await drop()
  } catch (error) {
    if (errorCode(error) !== '2BP01') throw error
    await refuseOwnedDatabases(connection, name)
    await dropOwnedElsewhere(connection, address, { name, call })
    await drop()
  }
}

// DROP OWNED takes what the role made in other databases and the rights it was given there. It does not cascade, so
// nothing of others goes with it. REASSIGN OWNED would be a way up: a function made by the branch's user could
// become one that runs with the administrator's rights.
async function dropOwnedElsewhere(
  connection: Connection,
  address: ServerAddress,
  { name, call }: { name: string; call: DriverCall },
): Promise<void> {
  const places = await connection.query<{ datname: string }>(
    `SELECT DISTINCT d.datname FROM pg_shdepend s
      JOIN pg_database d ON d.oid = s.dbid OR s.dbid = 0 AND d.datname = current_database()
      WHERE s.refclassid = 'pg_authid'::regclass AND d.datallowconn
        AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1)`,
    [name],
  )
  for (const { datname } of places)
    await withConnection(address, { signal: call.signal, database: datname }, (inside) =>
      inside.query(`DROP OWNED BY ${identifier(name)}`),
    )
}

async function refuseOwnedDatabases(connection: Connection, name: string): Promise<void> {
  const owned = await connection.query<{ datname: string }>(
    `SELECT datname FROM pg_database
      WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = $1) ORDER BY datname`,
    [name],
  )
  if (owned.length === 0) return
  throw new ActionFailure(
    'branch_role_owns_databases',
    `The role ${name} of a branch also owns ${owned.length} other database(s) that Holdpoint did not make, so the role was left there. Give them to another owner (ALTER DATABASE … OWNER TO …); the cleanup is then tried again.`,
    { retryable: true },
  )
}
