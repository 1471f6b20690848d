import { setTimeout as sleep } from 'node:timers/promises'
import type { BranchRef } from '../../domain/branch-ref.ts'
import type { DriverCall } from '../driver.ts'
import type { Connection } from './connection.ts'
import { requireShared } from './require-kind.ts'
import type { ServerAddress } from './server-address.ts'
import { withLockedBranch } from './with-locked-branch.ts'

const PROBE_EVERY_MS = 2_000
const PROBE_TIMEOUT_MS = 5_000

/**
 * Does `work` while this connection holds the branch's lock, and answers how that ended. Fails when the connection was
 * lost meanwhile, however the work ended then, because others may have come in.
 */
export async function workExclusively<Result>(
  address: ServerAddress,
  { ref, call }: { ref: BranchRef; call: DriverCall },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<PromiseSettledResult<Result>> {
  requireShared(ref)
  return await withLockedBranch(address, { ref, call }, async (connection) => {
    const [silent, done] = [new AbortController(), new AbortController()]
    probe(connection, done.signal).catch((error: unknown) => silent.abort(error))
    const signal = AbortSignal.any([call.signal, connection.lost, silent.signal])
    const [outcome] = await Promise.allSettled([work(signal)])
    done.abort()
    signal.throwIfAborted()
    return outcome
  })
}

// A server that is cut off, or has moved to another machine, does not tell that the connection is gone.
async function probe(connection: Connection, done: AbortSignal): Promise<void> {
  while (!done.aborted) {
    const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS)
    const late = new Promise<never>((_resolve, reject) => {
      timeout.addEventListener('abort', () => reject(timeout.reason))
    })
    await Promise.race([connection.query('SELECT 1'), late])
    await sleep(PROBE_EVERY_MS, undefined, { signal: done, ref: false }).catch(() => {})
  }
}
