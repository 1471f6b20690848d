import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import { type BranchMark, writeMark } from './branch-mark.ts'
import { createRole } from './branch-role.ts'
import { type Connection, withConnection } from './connection.ts'
import { copyByDump } from './copy-by-dump.ts'
import { type CopyRequest, copyByTemplate } from './copy-by-template.ts'
import { errorCode } from './describe-error.ts'
import { dropDatabase } from './drop-branch.ts'
import { inspectBranch } from './inspect-branch.ts'
import { lockBranchName } from './lock-branch-name.ts'
import { giveObjectsTo } from './own-objects.ts'
import type { ServerAddress } from './server-address.ts'
import { refuseForbiddenSource } from './source.ts'
import { identifier, literal, printable } from './sql.ts'

/**
 * Makes the branch, or finds it made. Role and mark come first and in one transaction, the database belongs to that
 * role from its first moment, and its own mark comes last: wherever this is cut off, what is left tells whose it is
 * and that it is not complete.
 */
export async function createBranch(
  address: ServerAddress,
  request: CopyRequest,
  call: DriverCall,
): Promise<void> {
  await withConnection(address, { signal: call.signal }, async (connection) => {
    const { ref, source } = request
    await lockBranchName(connection, ref.name)
    const found = await inspectBranch(connection, ref)
    if (found.ready) return
    await refuseForbiddenSource(connection, source)
    await call.confirm()
    if (found.databaseExists) {
      call.progress(`dropping the half-made branch ${ref.name}`)
      await dropDatabase(connection, ref.name)
    }
    const createdAt = found.mark?.createdAt ?? new Date()
    const mark: BranchMark = { owner: ref.owner, source, createdAt, state: 'making' }
    try {
      await createRole(connection, { ref, mark, exists: found.roleExists }, call)
      await copyAndShut(connection, address, { request, call })
    } catch (error) {
      throw madeMeanwhile(error, ref) ?? error
    }
    await withConnection(address, { signal: call.signal, database: ref.name }, (inside) =>
      giveObjectsTo(inside, ref.name),
    )
    const ready = literal(writeMark({ ...mark, state: 'ready' }))
    await connection.query(`COMMENT ON DATABASE ${identifier(ref.name)} IS ${ready}`)
  })
}

async function copyAndShut(
  connection: Connection,
  address: ServerAddress,
  { request, call }: { request: CopyRequest; call: DriverCall },
): Promise<void> {
  call.progress(`copying ${printable(request.source)} to ${request.ref.name}`)
  if (!(await copyByTemplate(connection, request, call)))
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
