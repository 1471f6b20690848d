import { join } from 'node:path'
import type pg from 'pg'
import { migrations } from './migrations/index.ts'

const SCHEMA = 'holdpoint'
const MIGRATIONS_TABLE = 'migrations'

// A process that stands still while it migrates must not keep all others from coming up without a word.
const LOCK_TIMEOUT = '60s'

/**
 * Brings the schema to what this release needs, each process in its turn, all or nothing. The second time it does
 * nothing; a schema that a later release has migrated is left as it is. The connection is a session of its own, as the
 * lock belongs to it, and is not closed.
 */
export async function migrate(client: pg.Client): Promise<void> {
  // Loads a compiler for migrations written elsewhere, which takes a moment.
  const { runner } = await import('node-pg-migrate')
  await client.query(`SET lock_timeout = '${LOCK_TIMEOUT}'`)
  await runner({
    dbClient: client,
    schema: SCHEMA,
    // A role that may not create schemas can use one that was made for it.
    createSchema: !(await hasSchema(client)),
    migrationsTable: MIGRATIONS_TABLE,
    direction: 'up',
    singleTransaction: true,
    advisoryLockMode: 'wait',
    logger: silent,
    // The runner looks for files, of which the compiled ones have others beside them. It is shown one, which lists all.
    dir: join(import.meta.dirname, 'migrations'),
    ignorePattern: String.raw`(?!index\.[jt]s$).*`,
    migrationLoaderStrategies: [{ extensions: ['.ts', '.js'], loader: async () => units }],
  })
}

/** The names of migrations that this database has not had; undefined where there is no schema of ours at all. */
export async function pendingMigrations(
  query: (text: string) => Promise<{ rows: Record<string, unknown>[] }>,
): Promise<string[] | undefined> {
  const { rows } = await query(
    `SELECT to_regclass('${SCHEMA}.${MIGRATIONS_TABLE}') IS NOT NULL AS migrated`,
  )
  if (rows[0]?.['migrated'] !== true) return undefined
  const { rows: done } = await query(`SELECT name FROM ${SCHEMA}.${MIGRATIONS_TABLE}`)
  const names = new Set(done.map((row) => row['name']))
  return migrations.map(({ name }) => name).filter((name) => !names.has(name))
}

async function hasSchema(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regnamespace('${SCHEMA}') IS NOT NULL AS there`,
  )
  return rows[0]?.there === true
}

const units = migrations.map(({ name, actions }) => ({ id: name, filePaths: [name], actions }))

// What goes wrong is thrown.
const silent = { info: () => {}, warn: () => {}, error: () => {} }
