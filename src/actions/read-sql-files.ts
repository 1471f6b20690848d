import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ActionFailure } from '../domain/failure.ts'
import { migrationFailed } from './migration.ts'

/** Which migrations there are, and where a branch keeps account of them. */
export interface SqlFilesOptions {
  /** Only files whose names sort after this one are applied: what the resource has already when it is branched. */
  readonly after?: string
  /** The schema of the ledger, the table `migrations` in it. Default `holdpoint`. */
  readonly schema?: string
}

export interface SqlFile {
  readonly name: string
  readonly text: string
  readonly sha256: string
}

/** The `*.sql` files of a directory after `after`, in the order of their names. Throws an `ActionFailure` that is final. */
export async function readSqlFiles(directory: string, after = ''): Promise<SqlFile[]> {
  try {
    const names = (await readdir(directory)).filter((name) => name.endsWith('.sql'))
    // By code unit, as `sort` does: the same order on every machine.
    const files = await Promise.all(names.sort().map((name) => readSqlFile(directory, name)))
    return files.filter(({ name }) => name > after)
  } catch (error) {
    if (error instanceof ActionFailure) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw migrationFailed(
      `The migrations in ${directory} cannot be read (${code}), so the branch has not the schema that the build needs. The provider has to correct the directory in temporal.config.ts.`,
    )
  }
}

async function readSqlFile(directory: string, name: string): Promise<SqlFile> {
  const bytes = await readFile(join(directory, name))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), sha256 }
  } catch {
    throw migrationFailed(
      `The migration ${name} is not UTF-8, so nothing was applied to the branch. Save it as UTF-8 and deploy again.`,
    )
  }
}
