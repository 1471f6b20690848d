import { isOwn } from '../../domain/branch-ref.ts'
import type { BranchRecord } from '../driver.ts'
import { MARK_PREFIX, readMark } from './branch-mark.ts'
import type { Connection } from './connection.ts'
import { BRANCH_COLUMNS, type BranchRow, isComplete } from './inspect-branch.ts'
import { readResourceMark } from './resource-mark.ts'

/**
 * Every database and role that carries a mark. Where both do, the role's counts: the branch's user owns the database
 * and may change its comment, but not the role's. A resource that was made here is no branch, whatever it says.
 */
export async function listBranches(connection: Connection): Promise<BranchRecord[]> {
  const rows = await connection.query<BranchRow>(
    `SELECT * FROM (
        SELECT ${BRANCH_COLUMNS} FROM pg_database d FULL JOIN pg_roles r ON r.rolname = d.datname
      ) AS branches
      WHERE starts_with(database_comment, $1) OR starts_with(role_comment, $1)
      ORDER BY coalesce(datname, rolname)`,
    [MARK_PREFIX],
  )
  return rows.flatMap(toRecord)
}

function toRecord(row: BranchRow): BranchRecord[] {
  // Its owner, a customer, may write on it what he likes.
  if (readResourceMark(row.role_comment)) return []
  const mark = readMark(row.role_comment) ?? readMark(row.database_comment)
  const name = row.datname ?? row.rolname
  if (mark === undefined || name === null) return []
  const { owner, source, createdAt, holdpoint, claims, unclaimedSince } = mark
  const ref = { name, owner }
  return [
    {
      ref,
      source,
      createdAt,
      complete: isComplete(row),
      ...(holdpoint !== undefined && { holdpoint }),
      ...(!isOwn(ref) && { claims }),
      ...(unclaimedSince && { unclaimedSince }),
    },
  ]
}
