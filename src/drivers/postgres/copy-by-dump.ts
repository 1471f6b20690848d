import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { pipeline } from 'node:stream/promises'
import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { Secret } from '../../domain/secret.ts'
import type { DriverCall } from '../driver.ts'
import { type Connection, withConnection } from './connection.ts'
import type { CopyRequest } from './copy-by-template.ts'
import { type ClientTools, findClientTools } from './find-client-tools.ts'
import { provePassword } from './open-branch.ts'
import { giveObjectsTo } from './own-objects.ts'
import type { ServerAddress } from './server-address.ts'
import { sourceInUse } from './source.ts'
import { identifier, literal, printable } from './sql.ts'
import { inBytes, tellProgress } from './tell-progress.ts'

interface DumpRequest extends Pick<CopyRequest, 'source' | 'ref' | 'strategy'> {
  readonly call: DriverCall
}

/**
 * Copies a source that may be in use, by pg_dump and pg_restore: slower, but it neither needs nor disturbs quiet. Fails
 * for good (`source_in_use`, `dump_tools_missing`) where no tools of a fitting version are installed.
 *
 * The restore logs in as the branch's own role. So all it makes belongs to that role, and code that the source's
 * users wrote into it (index expressions, checks, views) never runs with the administrator's rights. And it is
 * pg_restore rather than psql, which would also obey commands hidden in names (CVE-2025-8714, CVE-2025-8715).
 */
export async function copyByDump(
  connection: Connection,
  address: ServerAddress,
  request: DumpRequest,
): Promise<void> {
  const { source, ref, call } = request
  const major = Math.floor(connection.version / 1_00_00)
  const tools = await findClientTools(major)
  if (tools === undefined) {
    if (request.strategy === 'dump') throw toolsMissing(source, major)
    const reason = `pg_dump and pg_restore, which could copy it all the same, are not installed for its version ${major}`
    throw await sourceInUse(connection, source, reason)
  }
  call.progress(`copying ${printable(source)} with pg_dump ${tools.major}, beside those who use it`)
  await createEmptyDatabase(connection, source, ref)
  const extensions = await readAdminExtensions(address, request)
  await withConnection(address, { signal: call.signal, database: ref.name }, async (inside) => {
    await giveObjectsTo(inside, ref.name)
    for (const { name, schema, version } of extensions)
      await inside.query(
        `CREATE EXTENSION IF NOT EXISTS ${identifier(name)} SCHEMA ${identifier(schema)} VERSION ${literal(version)}`,
      )
  })
  const password = await provePassword(address, ref, call)
  await pipeDump(address, tools, { ...request, password, withComments: extensions.length === 0 })
}

function toolsMissing(source: string, major: number): ActionFailure {
  return new ActionFailure(
    'dump_tools_missing',
    `The database ${printable(source)} is to be copied with pg_dump and pg_restore, and none for Postgres ${major} are installed, so there is no branch of it. Install postgresql-client-${major} beside Holdpoint, or set the driver's strategy to 'auto'.`,
    { retryable: false },
  )
}

async function createEmptyDatabase(
  connection: Connection,
  source: string,
  ref: BranchRef,
): Promise<void> {
  const [row] = await connection.query<{ encoding: string; properties: Record<string, unknown> }>(
    `SELECT pg_encoding_to_char(d.encoding) AS encoding, to_jsonb(d) AS properties
      FROM pg_database d WHERE datname = $1`,
    [source],
  )
  const property = (name: string) => {
    const value = row?.properties[name]
    return typeof value === 'string' ? literal(value) : undefined
  }
  // The column is named daticulocale before Postgres 17.
  const locale = property('datlocale') ?? property('daticulocale')
  const provider = row?.properties['datlocprovider']
  const options = [
    `ENCODING ${literal(row?.encoding ?? 'UTF8')}`,
    `LC_COLLATE ${property('datcollate') ?? literal('C')}`,
    `LC_CTYPE ${property('datctype') ?? literal('C')}`,
  ]
  if (provider === 'i' && locale !== undefined)
    options.push(`LOCALE_PROVIDER icu ICU_LOCALE ${locale}`)
  if (provider === 'b' && locale !== undefined)
    options.push(`LOCALE_PROVIDER builtin BUILTIN_LOCALE ${locale}`)
  await connection.query(
    `CREATE DATABASE ${identifier(ref.name)} OWNER ${identifier(ref.name)} TEMPLATE template0 ${options.join(' ')}`,
  )
}

interface Extension {
  readonly name: string
  readonly schema: string
  readonly version: string
}

// Only a superuser may create these; the branch's role then finds them made. In a schema of the source's own they
// cannot be made ahead, because the restore makes that schema.
async function readAdminExtensions(
  address: ServerAddress,
  { source, call }: DumpRequest,
): Promise<Extension[]> {
  return await withConnection(address, { signal: call.signal, database: source }, (inside) =>
    inside.query<{ name: string; schema: string; version: string }>(
      `SELECT e.extname AS name, n.nspname AS schema, e.extversion AS version
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        JOIN pg_available_extension_versions v ON v.name = e.extname AND v.version = e.extversion
        WHERE v.superuser AND NOT v.trusted AND n.nspname IN ('public', 'pg_catalog')`,
    ),
  )
}

async function pipeDump(
  address: ServerAddress,
  tools: ClientTools,
  {
    source,
    ref,
    call,
    password,
    withComments,
  }: DumpRequest & { password: Secret; withComments: boolean },
): Promise<void> {
  const options = ['--no-owner', '--no-privileges', '--no-publications', '--no-subscriptions']
  const environment = (login: Login) => toolEnvironment(address, login, ref.name)
  const dump = spawn(
    tools.dump,
    ['--format=custom', '--compress=0', '--no-password', '--no-security-labels', ...options],
    {
      env: environment({ user: address.user, password: address.password, database: source }),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const restore = spawn(
    tools.restore,
    [
      ...options,
      ...(withComments ? [] : ['--no-comments']),
      '--single-transaction',
      '--exit-on-error',
      '--no-password',
      `--dbname=dbname='${ref.name.replaceAll(/[\\']/g, String.raw`\$&`)}'`,
    ],
    {
      env: environment({ user: ref.name, password, database: ref.name }),
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  )
  const kill = () => [dump, restore].forEach((tool) => tool.kill('SIGKILL'))
  call.signal.addEventListener('abort', kill, { once: true })
  if (call.signal.aborted) kill()
  try {
    let bytes = 0
    dump.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length))
    const describe = (seconds: number) =>
      `${printable(source)} is being copied with pg_dump ${tools.major}: ${inBytes(bytes)}, ${seconds} s so far`
    // A broken pipe is told by the exit codes.
    const [dumped, restored] = await tellProgress(call, describe, () =>
      Promise.all([
        outcome(dump),
        outcome(restore),
        pipeline(dump.stdout, restore.stdin).catch(() => {}),
      ]),
    )
    if (!call.signal.aborted) requireSuccess(source, { pg_dump: dumped, pg_restore: restored })
  } finally {
    call.signal.removeEventListener('abort', kill)
    kill()
    if (call.signal.aborted) await endSessions(address, ref.name)
  }
  call.signal.throwIfAborted()
}

interface Login {
  readonly user: string
  readonly password: Secret
  readonly database: string
}

// Passwords and names go by environment: arguments are seen by every user of the machine, and a database name given
// as an argument may be taken for a connection string.
function toolEnvironment(
  address: ServerAddress,
  login: Login,
  applicationName: string,
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LC_ALL: 'C',
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: login.user,
    PGPASSWORD: login.password.reveal(),
    PGDATABASE: login.database,
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: '5',
    PGPASSFILE: '/dev/null',
  }
  for (const parameter of ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']) {
    const value = address.transport.get(parameter)
    // `no-verify` is node-postgres's own word for what libpq calls `require`.
    if (value !== undefined)
      environment[`PG${parameter.toUpperCase()}`] = value === 'no-verify' ? 'require' : value
  }
  return environment
}

interface ToolOutcome {
  readonly exitCode: number
  /** The first error, without the statement it came from: that could hold data. */
  readonly error: string
}

async function outcome(tool: ChildProcess): Promise<ToolOutcome> {
  let text = ''
  tool.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < 10_000) text += chunk
  })
  // An array of what `once` tells, as 'close' has both an exit code and a signal.
  const closed: unknown[] = await once(tool, 'close').catch((error: unknown) => [error])
  const [exitCode] = closed
  const error = /error: (?:could not execute query: )?(.*)/i.exec(text)?.[1] ?? 'no reason given'
  return { exitCode: typeof exitCode === 'number' ? exitCode : -1, error: error.slice(0, 200) }
}

function requireSuccess(source: string, outcomes: Record<string, ToolOutcome>): void {
  for (const [tool, { exitCode, error }] of Object.entries(outcomes)) {
    if (exitCode === 0) continue
    // pg_dump's own failure shows in pg_restore as a cut-off input; the first one in order is the cause.
    const isFinal = /permission denied|must be (superuser|owner)|unrecognized|row-level/i.test(
      error,
    )
    throw new ActionFailure(
      'branch_copy_failed',
      `The database ${printable(source)} could not be copied with ${tool} (${error}), so there is no branch of it. Mend what ${tool} says, or close the connections to it, so that Postgres can copy it itself.`,
      { retryable: !isFinal },
    )
  }
}

/** Ends what the killed tools left running at the server, and waits until it has ended. */
async function endSessions(address: ServerAddress, applicationName: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000)
  await withConnection(address, { signal }, async (admin) => {
    const end = () =>
      admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = $1 AND usename IN (current_user, $1) AND pid <> pg_backend_pid()`,
        [applicationName],
      )
    while ((await end()).length > 0) await sleep(20)
  }).catch(() => {
    // The server is away, and the sessions with it; or it notices by itself that their clients are gone.
  })
}
