import { type BranchRef, sameOwner } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import { type BranchMark, readMark } from './branch-mark.ts'
import type { Connection } from './connection.ts'
import { isPossibleName, printable } from './sql.ts'

/** What of a branch stands at the server. Only what was verified to carry the owner gets into such an object. */
export interface FoundBranch {
  readonly databaseExists: boolean
  readonly roleExists: boolean
  /** Complete, of the edition that the role's mark asks for, and not half dropped. */
  readonly ready: boolean
  readonly mark: BranchMark | undefined
  /** The time by the server's clock, which is the same for all workers. */
  readonly now: Date
}

/** Two objects make a branch, database and role of the same name; a half-dropped database has connection limit -2. */
export const BRANCH_COLUMNS = `
    d.datname, shobj_description(d.oid, 'pg_database') AS database_comment,
    d.datconnlimit = -2 AS half_dropped, d.datdba = r.oid AS owned_by_role,
    r.rolname, r.rolcanlogin AS can_log_in, shobj_description(r.oid, 'pg_authid') AS role_comment`

export interface BranchRow {
  readonly datname: string | null
  readonly database_comment: string | null
  readonly half_dropped: boolean | null
  readonly owned_by_role: boolean | null
  readonly rolname: string | null
  readonly can_log_in: boolean | null
  readonly role_comment: string | null
}

/**
 * Finds what stands under the branch's name, and refuses for good (`branch_owner_mismatch`) when any of it does not
 * carry exactly this owner. A database that belongs to our role is ours, whatever its own mark says: the branch's user
 * may change that one.
 */
export async function inspectBranch(connection: Connection, ref: BranchRef): Promise<FoundBranch> {
  requirePossibleName(ref)
  const [row] = await connection.query<BranchRow & { now: Date }>(
    `SELECT ${BRANCH_COLUMNS}, clock_timestamp() AS now FROM (SELECT $1::text AS name) AS asked
      LEFT JOIN pg_database d ON d.datname = asked.name
      LEFT JOIN pg_roles r ON r.rolname = asked.name`,
    [ref.name],
  )
  if (row === undefined) throw new Error('Postgres did not answer what there is')
  const isOurs = (comment: string | null) => {
    const mark = readMark(comment)
    return mark !== undefined && sameOwner(mark.owner, ref.owner)
  }
  const databaseExists = row.datname !== null
  const roleExists = row.rolname !== null
  if (roleExists && !isOurs(row.role_comment)) throw ownerMismatch(ref, 'role')
  if (databaseExists && row.owned_by_role !== true && !isOurs(row.database_comment))
    throw ownerMismatch(ref, 'database')
  return {
    databaseExists,
    roleExists,
    ready: isComplete(row),
    mark: readMark(row.role_comment) ?? readMark(row.database_comment),
    now: row.now,
  }
}

/** Whether the branch was made to its end, in the edition last asked for, and nobody has begun to take it down. */
export function isComplete(row: BranchRow): boolean {
  const edition = readMark(row.role_comment)?.edition
  return (
    edition !== undefined &&
    edition === readMark(row.database_comment)?.edition &&
    row.half_dropped === false &&
    row.owned_by_role === true &&
    row.can_log_in === true
  )
}

function requirePossibleName(ref: BranchRef): void {
  if (isPossibleName(ref.name)) return
  throw new ActionFailure(
    'branch_name_invalid',
    `No Postgres database can be named ${printable(ref.name)}: names have 1 to 63 bytes, and a longer one would silently be cut off and meet another branch. Give the branch a shorter name.`,
    { retryable: false },
  )
}

function ownerMismatch(ref: BranchRef, what: 'role' | 'database'): ActionFailure {
  const { owner } = ref
  const whom =
    'deploymentId' in owner
      ? `deployment ${printable(owner.deploymentId)}`
      : `the git branch ${printable(owner.gitBranch)}`
  return new ActionFailure(
    'branch_owner_mismatch',
    `A ${what} named ${ref.name} exists at the Postgres server but was not made for this action of ${whom}, so it was left as it is. If nobody needs it, drop it by hand and redeploy.`,
    { retryable: false },
  )
}
