import pg from 'pg'
import { branchScrubber } from '../actions/scrub-branch.ts'
import { ActionFailure } from '../domain/failure.ts'
import type { BranchConnection } from '../drivers/driver.ts'
import {
  type Connection,
  watchForOurDeath,
  withConnection,
} from '../drivers/postgres/connection.ts'
import { isPassing } from '../drivers/postgres/describe-error.ts'
import { parseServerUrl } from '../drivers/postgres/server-address.ts'
import type { CheckCall, CheckResult } from './define-check.ts'

/**
 * Asks the branch, as its role and in a session that changes nothing. An error of the query is a failed check, in the
 * server's words; a server that does not answer is asked again.
 */
export async function queryBranch(
  branch: BranchConnection,
  { signal }: Pick<CheckCall, 'signal'>,
  ask: (connection: Connection) => Promise<CheckResult>,
): Promise<CheckResult> {
  try {
    return await withConnection(
      parseServerUrl(branch.url.reveal()),
      { signal },
      async (connection) => {
        // As a fresh login of the role has it.
        await connection.query('DISCARD ALL')
        await watchForOurDeath(connection)
        await connection.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY')
        return await ask(connection)
      },
    )
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Error)) throw error
    const words = branchScrubber(branch)(error.message.replaceAll(/\s+/g, ' ')).slice(0, 300)
    const code = error instanceof pg.DatabaseError ? error.code : undefined
    if (code !== undefined && !isPassing(code))
      return { conclusion: 'failed', text: `The query failed on the branch (${code}: ${words}).` }
    // No cause: causes are kept in histories.
    throw new ActionFailure(
      'branch_unanswered',
      `The branch did not answer (${(code ?? words).slice(0, 100)}), so it was not checked.`,
      { retryable: true },
    )
  }
}
