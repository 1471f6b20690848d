import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import { type BranchMark, writeMark } from './branch-mark.ts'
import { createRole, markRole } from './branch-role.ts'
import { requireStrategy } from './choose-strategy.ts'
import { type Connection, withConnection } from './connection.ts'
import { copyByDump } from './copy-by-dump.ts'
import { type CopyRequest, copyByTemplate } from './copy-by-template.ts'
import { errorCode } from './describe-error.ts'
import { dropDatabase } from './drop-database.ts'
import type { FoundBranch } from './inspect-branch.ts'
import { giveObjectsTo } from './own-objects.ts'
import { requireOwn } from './require-kind.ts'
import type { ServerAddress } from './server-address.ts'
import { refuseForbiddenSource } from './source.ts'
import { identifier, literal, printable } from './sql.ts'
import { withLockedBranch } from './with-locked-branch.ts'

/** Makes the branch of one deployment, or finds it made. */
export async function createBranch(
  address: ServerAddress,
  request: CopyRequest,
  call: DriverCall,
): Promise<void> {
  requireOwn(request.ref)
  await makeBranch(address, request, { call, markFor: (mark) => mark })
}

/**
 * Writes the mark, and makes the branch where it does not stand complete in the mark's edition. Role and mark come
 * first and in one transaction, the database belongs to that role from its first moment, and its own mark comes last:
 * wherever this is cut off, what is left tells whose it is and that it is not complete.
 *
 * `markFor` gets the mark that stands, or a new one, and answers the one to write: the same where nothing of it is to
 * change, none where nothing is to be made.
 */
export async function makeBranch(
  address: ServerAddress,
  request: CopyRequest,
  {
    call,
    markFor,
  }: { call: DriverCall; markFor: (mark: BranchMark, now: Date) => BranchMark | undefined },
): Promise<void> {
  const { ref, source } = request
  await withLockedBranch(address, { ref, call }, async (connection, found) => {
    const before = found.mark ?? newMark(request, { call, now: found.now })
    const mark = markFor(before, found.now)
    if (!mark || (found.ready && mark === before)) return
    const stands = found.ready && mark.edition === before.edition
    if (!stands) {
      if (request.strategy !== 'auto') requireStrategy(request.strategy, connection.version)
      await refuseForbiddenSource(connection, source)
    }
    await call.confirm()
    if (stands) return await markRole(connection, ref, mark)
    const made = { ...mark, holdpoint: call.holdpoint, source }
    await copySource(connection, address, { request, found, mark: made, call })
  })
}

interface Making {
  readonly request: CopyRequest
  readonly found: FoundBranch
  readonly mark: BranchMark
  readonly call: DriverCall
}

function newMark(
  { ref, source }: CopyRequest,
  { call, now }: { call: DriverCall; now: Date },
): BranchMark {
  const { holdpoint } = call
  return { holdpoint, owner: ref.owner, source, createdAt: now, edition: 1, claims: [] }
}

async function copySource(
  connection: Connection,
  address: ServerAddress,
  { request, found, mark, call }: Making,
): Promise<void> {
  const { ref } = request
  try {
    await createRole(connection, { ref, mark, exists: found.roleExists }, call)
    if (found.databaseExists) {
      call.progress(`dropping what the branch ${ref.name} was before`)
      await dropDatabase(connection, ref.name)
    }
    await copyAndShut(connection, address, { request, call })
  } catch (error) {
    throw madeMeanwhile(error, ref) ?? error
  }
  await withConnection(address, { signal: call.signal, database: ref.name }, (inside) =>
    giveObjectsTo(inside, ref.name),
  )
  const comment = literal(writeMark({ ...mark, claims: [] }))
  await connection.query(`COMMENT ON DATABASE ${identifier(ref.name)} IS ${comment}`)
}

async function copyAndShut(
  connection: Connection,
  address: ServerAddress,
  { request, call }: { request: CopyRequest; call: DriverCall },
): Promise<void> {
  call.progress(`copying ${printable(request.source)} to ${request.ref.name}`)
  const { strategy } = request
  if (strategy === 'dump' || !(await copyByTemplate(connection, { ...request, strategy }, call)))
    await copyByDump(connection, address, { ...request, call })
  // A new database lets everybody connect, and rights on the objects inside came with the copy.
  await connection.query(`REVOKE ALL ON DATABASE ${identifier(request.ref.name)} FROM PUBLIC`)
}

// Holdpoint's own calls exclude each other by the lock, so whoever made the name meanwhile is somebody else, or a
// Holdpoint that locks in another maintenance database. The next try finds out by the mark.
function madeMeanwhile(error: unknown, ref: BranchRef): ActionFailure | undefined {
  if (!['23505', '42P04', '42710'].includes(errorCode(error) ?? '')) return undefined
  return new ActionFailure(
    'branch_made_meanwhile',
    `${ref.name} was made by someone else at the same time, so this attempt stopped. It is tried again; let all workers use the same maintenance database in the Postgres URL.`,
    { retryable: true, cause: error },
  )
}
