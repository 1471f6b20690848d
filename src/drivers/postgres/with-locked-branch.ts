import type { BranchRef } from '../../domain/branch-ref.ts'
import type { DriverCall } from '../driver.ts'
import type { Connection } from './connection.ts'
import { type FoundBranch, inspectBranch } from './inspect-branch.ts'
import type { ServerAddress } from './server-address.ts'
import { withLock } from './with-lock.ts'

/** Waits until no other session works on the branch, looks what there is of it, and does `work` while others wait. */
export async function withLockedBranch<Result>(
  address: ServerAddress,
  { ref, call }: { ref: BranchRef; call: DriverCall },
  work: (connection: Connection, found: FoundBranch) => Promise<Result>,
): Promise<Result> {
  return await withLock(address, { name: ref.name, call }, async (connection) =>
    work(connection, await inspectBranch(connection, ref)),
  )
}
