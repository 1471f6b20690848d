import { ActionFailure } from '../../domain/failure.ts'
import { readMark } from './branch-mark.ts'
import type { Connection } from './connection.ts'
import { isPossibleName, printable } from './sql.ts'

/**
 * Refuses for good what must not be copied: a database that does not exist (`source_missing`), and Postgres's own
 * ones, the maintenance database and branches (`source_forbidden`).
 */
export async function refuseForbiddenSource(connection: Connection, source: string): Promise<void> {
  if (!isPossibleName(source)) throw sourceMissing(source)
  const [row] = await connection.query<{ maintenance: boolean; comment: string | null }>(
    `SELECT d.datname = current_database() AS maintenance,
        coalesce(shobj_description(r.oid, 'pg_authid'), shobj_description(d.oid, 'pg_database')) AS comment
      FROM pg_database d LEFT JOIN pg_roles r ON r.rolname = d.datname WHERE d.datname = $1`,
    [source],
  )
  if (row === undefined) throw sourceMissing(source)
  if (row.maintenance) throw sourceForbidden(source, 'the maintenance database of the Postgres URL')
  if (source === 'template0' || source === 'template1')
    throw sourceForbidden(source, "one of Postgres's own templates")
  if (readMark(row.comment) !== undefined)
    throw sourceForbidden(source, 'itself a branch made by Holdpoint')
}

export function sourceMissing(source: string): ActionFailure {
  return new ActionFailure(
    'source_missing',
    `There is no database named ${printable(source)} at the Postgres server, so there is nothing to make a branch of. The resource's id must be the exact name of a database there, of at most 63 bytes.`,
    { retryable: false },
  )
}

/** Refuses because others are connected to the source, and says who. */
export async function sourceInUse(
  connection: Connection,
  source: string,
  whyNoDump: string,
): Promise<ActionFailure> {
  return new ActionFailure(
    'source_in_use',
    `The database ${printable(source)} is in use (${await holders(connection, source)}), and Postgres copies only a database that nobody is connected to; ${whyNoDump}. Close those connections, point them at another database, or let Holdpoint find pg_dump and pg_restore of the server's version, and redeploy.`,
    { retryable: false },
  )
}

/** Whether anybody is connected to the source who does not go away by himself. */
export async function isInUse(connection: Connection, source: string): Promise<boolean> {
  const rows = await connection.query(
    `SELECT FROM pg_stat_activity WHERE datname = $1 AND coalesce(backend_type, '') NOT LIKE 'autovacuum%' LIMIT 1`,
    [source],
  )
  return rows.length > 0
}

function sourceForbidden(source: string, reason: string): ActionFailure {
  return new ActionFailure(
    'source_forbidden',
    `The database ${printable(source)} is ${reason}, so no branch is made of it. Use a database of its own for each resource.`,
    { retryable: false },
  )
}

async function holders(connection: Connection, source: string): Promise<string> {
  const rows = await connection.query<{ who: string; many: number }>(
    `SELECT coalesce(nullif(application_name, ''), backend_type, 'unnamed') || ' as ' || coalesce(usename, '?') AS who,
        count(*)::int AS many
      FROM pg_stat_activity WHERE datname = $1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5`,
    [source],
  )
  if (rows.length === 0) return 'by connections that come and go, or by prepared transactions'
  return rows
    .map(
      ({ who, many }) =>
        `${many} ${many === 1 ? 'connection' : 'connections'} of ${printable(who)}`,
    )
    .join(', ')
}
