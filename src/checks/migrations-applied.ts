import { readSqlFiles, type SqlFile, type SqlFilesOptions } from '../actions/read-sql-files.ts'
import type { Connection } from '../drivers/postgres/connection.ts'
import { identifier } from '../drivers/postgres/sql.ts'
import type { BranchCheck } from './branch-check.ts'
import { queryBranch } from './query-branch.ts'

/**
 * Succeeds when the branch has had every `*.sql` file of the directory, each as it is now; with the options of the
 * `sqlFiles` that applied them.
 */
export function migrationsApplied(directory: string, options: SqlFilesOptions = {}): BranchCheck {
  const { after, schema = 'holdpoint' } = options
  return async (branch, call) => {
    const files = await readSqlFiles(directory, after)
    return await queryBranch(branch, call, async (connection) => {
      const applied = await appliedFiles(connection, schema)
      const missing = files.filter(({ name }) => !applied.has(name))
      const changed = files.filter(
        ({ name, sha256 }) => applied.has(name) && applied.get(name) !== sha256,
      )
      if (missing.length === 0 && changed.length === 0)
        return {
          conclusion: 'succeeded',
          text: `All ${files.length} migrations are applied to the branch.`,
        }
      const text = [
        ...(missing.length > 0 ? [`Not applied to the branch: ${namesOf(missing)}.`] : []),
        ...(changed.length > 0 ? [`Changed since they were applied: ${namesOf(changed)}.`] : []),
      ].join(' ')
      return { conclusion: 'failed', text }
    })
  }
}

/** By name, the sha256 of what was applied. A branch without a ledger has had none. */
async function appliedFiles(
  connection: Connection,
  schema: string,
): Promise<ReadonlyMap<string, string>> {
  const [ledger] = await connection.query(
    `SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'migrations'`,
    [schema],
  )
  if (!ledger) return new Map()
  const rows = await connection.query<Pick<SqlFile, 'name' | 'sha256'>>(
    `SELECT name, sha256 FROM ${identifier(schema)}.migrations`,
  )
  return new Map(rows.map(({ name, sha256 }) => [name, sha256]))
}

function namesOf(files: readonly SqlFile[]): string {
  return files.map(({ name }) => name).join(', ')
}
