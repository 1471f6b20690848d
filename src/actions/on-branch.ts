import { type BranchRef, isOwn } from '../domain/branch-ref.ts'
import type { BranchConnection, DriverCall, ResourceDriver } from '../drivers/driver.ts'

/** Does the work with the branch open, while no other deployment's step works on it. */
export async function onBranch<Result>(
  { driver, ref }: { driver: ResourceDriver; ref: BranchRef },
  call: DriverCall,
  work: (branch: BranchConnection, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const open = async (signal: AbortSignal) => {
    const branch = await driver.openBranch(ref, { ...call, signal })
    signal.throwIfAborted()
    return await work(branch, signal)
  }
  const { sharing } = driver
  return await (isOwn(ref) || !sharing ? open(call.signal) : sharing.exclusively(ref, call, open))
}
