import pg from 'pg'
import { ActionFailure } from '../domain/failure.ts'
import type { BranchConnection } from '../drivers/driver.ts'
import {
  type Connection,
  watchForOurDeath,
  withConnection,
} from '../drivers/postgres/connection.ts'
import { isPassing } from '../drivers/postgres/describe-error.ts'
import { parseServerUrl } from '../drivers/postgres/server-address.ts'
import { identifier } from '../drivers/postgres/sql.ts'
import { type Migration, type BranchStepCall, migrationFailed } from './migration.ts'
import { readSqlFiles, type SqlFile, type SqlFilesOptions } from './read-sql-files.ts'
import { branchScrubber } from './scrub-branch.ts'

/** Any number; shared by all who apply files to one database. */
const LOCK = 5_104_217

/**
 * Applies the `*.sql` files of a directory (relative to the process's own) in the order of their names, as the
 * branch's role. Each is one transaction together with its entry in a ledger on the branch (`holdpoint.migrations`:
 * name, sha256, applied_at), so a second call applies what is new and nothing twice, also when the first one's answer
 * was lost or it is still at work.
 *
 * Fails for good where a statement fails, a file that was applied has changed since, or a file ends its transaction
 * itself. When the call aborts, the statement under way is canceled at the server and its file is rolled back.
 */
export function sqlFiles(directory: string, options: SqlFilesOptions = {}): Migration {
  const { after, schema = 'holdpoint' } = options
  const ledger = `${identifier(schema)}.migrations`
  return async (branch, call) => {
    const files = await readSqlFiles(directory, after)
    const doing = { what: `The migrations in ${directory}`, text: '' }
    const address = parseServerUrl(branch.url.reveal())
    try {
      await withConnection(address, { signal: call.signal }, async (connection) => {
        await makeLedger(connection, schema)
        for (const [index, file] of files.entries()) {
          doing.what = `The migration ${file.name}`
          doing.text = file.text
          call.progress(`Migration ${file.name} (${index + 1} of ${files.length})`)
          await applyFile(connection, { file, ledger, call })
        }
      })
    } catch (error) {
      call.signal.throwIfAborted()
      throw explain(error, doing, branch)
    }
  }
}

async function makeLedger(connection: Connection, schema: string): Promise<void> {
  await inTransaction(connection, async () => {
    const [made] = await connection.query(
      `SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'migrations'`,
      [schema],
    )
    if (made !== undefined) return
    // More than one statement would be a transaction of its own.
    await connection.query(`CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`)
    await connection.query(
      `CREATE TABLE ${identifier(schema)}.migrations (
         name text PRIMARY KEY,
         sha256 text NOT NULL,
         applied_at timestamptz NOT NULL DEFAULT pg_catalog.now())`,
    )
  })
}

async function applyFile(
  connection: Connection,
  { file, ledger, call }: { file: SqlFile; ledger: string; call: BranchStepCall },
): Promise<void> {
  const { name, text, sha256 } = file
  // As a fresh login of the role has it: what an earlier file set is gone.
  await connection.query('DISCARD ALL')
  await watchForOurDeath(connection)
  await inTransaction(connection, async (transaction) => {
    const [applied] = await connection.query<{ sha256: string }>(
      `SELECT sha256 FROM ${ledger} WHERE name = $1`,
      [name],
    )
    if (applied?.sha256 === sha256) return
    if (applied) throw fileChanged(name)
    await connection.query(text)
    if ((await transactionId(connection)) !== transaction) throw endsItself(name)
    // The file may have taken another role that may not write here.
    await connection.query('RESET ROLE')
    await connection.query(`INSERT INTO ${ledger} (name, sha256) VALUES ($1, $2)`, [name, sha256])
    call.log.info('migration.applied', { ...call.key, file: name })
  })
}

/** Does the work while nobody else applies files to this database; closing the connection rolls back. */
async function inTransaction(
  connection: Connection,
  work: (transaction: string | undefined) => Promise<void>,
): Promise<void> {
  await connection.query('BEGIN')
  await connection.query(`SELECT pg_catalog.pg_advisory_xact_lock(${LOCK})`)
  await work(await transactionId(connection))
  await connection.query('COMMIT')
}

async function transactionId(connection: Connection): Promise<string | undefined> {
  const [row] = await connection.query<{ id: string }>(
    'SELECT pg_catalog.txid_current()::pg_catalog.text AS id',
  )
  return row?.id
}

function fileChanged(name: string): ActionFailure {
  return migrationFailed(
    `The migration ${name} was changed after it had been applied, so nobody can say what schema the branch has. Restore the file and put the change into a new one, then deploy again.`,
  )
}

function endsItself(name: string): ActionFailure {
  return migrationFailed(
    `The migration ${name} ends its transaction itself (COMMIT or ROLLBACK), so it could be applied by half. Remove that: each file is one transaction already.`,
  )
}

function explain(
  error: unknown,
  { what, text }: { what: string; text: string },
  branch: BranchConnection,
): unknown {
  if (error instanceof ActionFailure) return error
  if (!(error instanceof Error)) return error
  const scrub = branchScrubber(branch)
  const code = error instanceof pg.DatabaseError ? error.code : undefined
  // The same file may pass a moment later.
  if (code === undefined || isPassing(code)) {
    const words = scrub(code ?? error.message).slice(0, 100)
    return migrationFailed(
      `${what} was interrupted (${words}) and rolled back, so the build waits. It is tried again; check that the branch's server runs.`,
      { retryable: true },
    )
  }
  const words = scrub(error.message.replaceAll(/\s+/g, ' ')).slice(0, 300)
  return migrationFailed(
    `${what} failed${placeOf(error, text)} (${code}: ${words}), so the branch has not the schema that the build needs. Correct the file and deploy again.`,
  )
}

function placeOf(error: Error, text: string): string {
  const position = error instanceof pg.DatabaseError ? Number(error.position) : NaN
  if (!(position > 0)) return ''
  // The server counts characters, not UTF-16 units.
  const before = Array.from(text).slice(0, position - 1)
  const line = before.filter((character) => character === '\n').length + 1
  return ` at line ${line}, column ${before.length - before.lastIndexOf('\n')}`
}
