import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { ActionKey } from '../../src/domain/action-key.ts'
import { type BranchRef, branchRef } from '../../src/domain/branch-ref.ts'
import { postgres, type PostgresOptions } from '../../src/drivers/postgres/driver.ts'
import { identifier, literal } from '../../src/drivers/postgres/sql.ts'
import '../servers/provided-context.ts'
import { startPostgresProxy } from './postgres-proxy.ts'
import type { DriverUnderTest } from '../../src/testing/driver-under-test.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

/** The embedded server of this test run; see `servers/global-setup.ts`. */
export function embeddedServerUrl(): string {
  return ownPostgresUrl()
}

/** Runs one statement as whoever the URL says, on a connection of its own. */
export async function sql<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values?: unknown[],
): Promise<Row[]> {
  const query = values === undefined ? { text } : { text, values }
  const kept = administrators.get(url)
  if (kept !== undefined) return (await kept.query<Row>(query)).rows
  const client = await connect(url)
  try {
    return (await client.query<Row>(query)).rows
  } finally {
    await client.end()
  }
}

const administrators = new Map<string, pg.Pool>()

/** Keeps a few connections for all statements with just this URL: a test file runs hundreds of them. */
export function keepConnections(url: string): void {
  const pool = new pg.Pool({ ...settingsOf(url), max: 4, idleTimeoutMillis: 0 })
  pool.on('error', () => {})
  administrators.set(url, pool)
}

export async function closeConnections(): Promise<void> {
  for (const pool of administrators.values()) await pool.end()
  administrators.clear()
}

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(settingsOf(url))
  client.on('error', () => {})
  await client.connect()
  return client
}

// Not as a connection string: node-postgres leaves some characters of a database name encoded.
function settingsOf(url: string): pg.ClientConfig {
  const { username, password, hostname, port, pathname, searchParams } = new URL(url)
  return {
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    host: hostname,
    port: Number(port),
    database: decodeURIComponent(pathname.slice(1)),
    application_name: searchParams.get('application_name') ?? 'tests',
  }
}

/** A connection that stays until the test ends, or until it is ended. */
export async function hold(url: string): Promise<pg.Client> {
  const client = await connect(url)
  onTestFinished(() => client.end().catch(() => {}))
  return client
}

/** The same login on another database of the server. */
export function onDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(database)}`
  return changed.href
}

/** A new database of this content, dropped when the test ends. */
export async function newSource(url: string, content = '', name = newName()): Promise<string> {
  onTestFinished(() => dropSource(url, name))
  await sql(url, `CREATE DATABASE ${identifier(name)}`)
  if (content !== '') await sql(onDatabase(url, name), content)
  return name
}

export async function dropSource(url: string, name: string): Promise<void> {
  await sql(url, `DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`)
}

export function newName(): string {
  return `test_${randomUUID().replaceAll('-', '')}`
}

/** The branch of a deployment of its own; whatever stands under its name is dropped when the test ends. */
export function newBranch(url: string, resourceId: string): BranchRef<ActionKey> {
  const ref = branchRef({
    installationId: 'icfg_1',
    resourceId,
    deploymentId: `dpl_${randomUUID()}`,
    action: 'branch',
  })
  onTestFinished(async () => {
    await sql(url, `DROP DATABASE IF EXISTS ${identifier(ref.name)} WITH (FORCE)`)
    await sql(url, `DROP ROLE IF EXISTS ${identifier(ref.name)}`)
  })
  return ref
}

/** Databases, roles and running sessions of this name. */
export async function remainsOf(url: string, name: string): Promise<string[]> {
  const rows = await sql<{ what: string }>(
    url,
    `SELECT 'database' AS what FROM pg_database WHERE datname = $1
      UNION ALL SELECT 'role' FROM pg_roles WHERE rolname = $1
      UNION ALL SELECT 'session' FROM pg_stat_activity WHERE usename = $1 OR datname = $1`,
    [name],
  )
  return rows.map(({ what }) => what)
}

/** What sessions other than the asking one are at work on this name. */
export async function workOn(url: string, name: string): Promise<string[]> {
  const rows = await sql<{ query: string }>(
    url,
    `SELECT query FROM pg_stat_activity
      WHERE state = 'active' AND pid <> pg_backend_pid() AND position($1 IN query) > 0`,
    [name],
  )
  return rows.map(({ query }) => query)
}

export function postgresUnderTest(url: string, options: PostgresOptions = {}): DriverUnderTest {
  const sources: string[] = []
  const connections: pg.Client[] = []
  const driver = postgres({ server: url, ...options })
  return {
    driver,
    async makeSource(lines) {
      const name = newName()
      sources.push(name)
      await sql(url, `CREATE DATABASE ${identifier(name)}`)
      const source = onDatabase(url, name)
      await sql(source, 'CREATE TABLE lines (id serial PRIMARY KEY, line text NOT NULL)')
      for (const line of lines) await sql(source, 'INSERT INTO lines (line) VALUES ($1)', [line])
      return name
    },
    async readLines(connection) {
      const rows = await sql<{ line: string }>(
        connection.url.reveal(),
        'SELECT line FROM lines ORDER BY id',
      )
      return rows.map(({ line }) => line)
    },
    async addLine(connection, line) {
      await sql(connection.url.reveal(), 'INSERT INTO lines (line) VALUES ($1)', [line])
    },
    async stayConnected(connection) {
      connections.push(await connect(connection.url.reveal()))
    },
    remains: (name) => remainsOf(url, name),
    deleteSource: (source) => dropSource(url, source),
    async makeLookalike(name, words) {
      await sql(url, `CREATE ROLE ${identifier(name)}`)
      await sql(url, `CREATE DATABASE ${identifier(name)} OWNER ${identifier(name)}`)
      if (words !== undefined)
        await sql(
          url,
          `COMMENT ON ROLE ${identifier(name)} IS ${literal(words)};
            COMMENT ON DATABASE ${identifier(name)} IS ${literal(words)}`,
        )
      return async () => {
        await dropSource(url, name)
        await sql(url, `DROP ROLE ${identifier(name)}`)
      }
    },
    async close() {
      await driver.close()
      for (const connection of connections) await connection.end().catch(() => {})
      for (const source of sources) await dropSource(url, source)
    },
  }
}

/** Breaks a connection to this server where the contract wants it. */
export function loseAnswerOf(url: string): NonNullable<DriverUnderTest['loseAnswer']> {
  return async (nth, act) => {
    const proxy = await startPostgresProxy(url)
    const driver = postgres({ server: proxy.url })
    try {
      proxy.cut({ nth, side: 'after' })
      await act(driver)
      return proxy.hasCut()
    } finally {
      await driver.close()
      await proxy.close()
    }
  }
}
