import type { BranchRef } from '../../domain/branch-ref.ts'
import type { DriverCall } from '../driver.ts'
import type { Connection } from './connection.ts'
import { dropDatabase } from './drop-database.ts'
import { dropRole, shutOut } from './drop-role.ts'
import type { FoundBranch } from './inspect-branch.ts'
import { requireOwn, requireShared } from './require-kind.ts'
import type { ServerAddress } from './server-address.ts'
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
