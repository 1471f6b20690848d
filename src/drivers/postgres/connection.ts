import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Secret } from '../../domain/secret.ts'
import { errorCode } from './describe-error.ts'
import type { ServerAddress } from './server-address.ts'

/** The name our connections carry in `pg_stat_activity`. */
export const APPLICATION_NAME = 'holdpoint'

const CONNECT_TIMEOUT_MS = 5_000
const CANCEL_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 2_000

/** One session at the server. Every statement ends at the server before a call that was aborted throws. */
export interface Connection {
  /** `server_version_num`: 150018 is 15.18. */
  readonly version: number
  /** Aborts when the connection breaks, with why. */
  readonly lost: AbortSignal
  /** Runs one statement. With no `values` it may be several, in one transaction; the rows are then of no use. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
}

export interface Login {
  readonly signal: AbortSignal
  /** Default: the maintenance database of the address. */
  readonly database?: string
  /** Default: the administrator of the address. */
  readonly user?: string
  readonly password?: Secret
}

/**
 * Does `work` on a connection of its own and closes it, also when the work fails. When `login.signal` aborts, the
 * statement under way is canceled at the server, its end is awaited, and the signal's reason is thrown.
 */
export async function withConnection<Result>(
  address: ServerAddress,
  login: Login,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const client = await connect(address, login)
  try {
    return await work(await prepareSession(client, address, login))
  } finally {
    await disconnect(client)
  }
}

async function connect(address: ServerAddress, login: Login): Promise<pg.Client> {
  login.signal.throwIfAborted()
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    user: login.user ?? address.user,
    password: (login.password ?? address.password).reveal(),
    database: login.database ?? address.database,
    ssl: address.tls,
    sslnegotiation: address.transport.get('sslnegotiation') === 'direct' ? 'direct' : 'postgres',
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  })
  // A connection lost while idle is told as an event that would end the process; the next statement fails anyway.
  client.on('error', () => {})
  const abort = () => client.connection.stream.destroy()
  login.signal.addEventListener('abort', abort, { once: true })
  try {
    await client.connect()
    return client
  } catch (error) {
    client.connection.stream.destroy()
    login.signal.throwIfAborted()
    throw error
  } finally {
    login.signal.removeEventListener('abort', abort)
  }
}

// Catalogue names must mean the catalogue whatever a database contains, and limits set for ordinary logins of the
// role or the database would cut a long copy. Its owner may also have set that everybody acts as him, or only reads.
const SESSION_SETTINGS = `SELECT pg_catalog.pg_backend_pid() AS pid,
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
    pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),
    pg_catalog.set_config('statement_timeout', '0', false),
    pg_catalog.set_config('lock_timeout', '0', false),
    pg_catalog.set_config('default_transaction_read_only', 'off', false),
    pg_catalog.set_config('role', 'none', false)`

async function prepareSession(
  client: pg.Client,
  address: ServerAddress,
  { signal }: Login,
): Promise<Connection> {
  const query = async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => {
    signal.throwIfAborted()
    const running = client.query<Row>(values === undefined ? { text } : { text, values })
    let canceling: Promise<void> | undefined
    const abort = () => {
      canceling = cancelStatement(client, address, { pid, running })
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      return (await running).rows
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
      await canceling
    }
  }
  const lost = new AbortController()
  client.once('error', (error) => lost.abort(error))
  let pid = 0
  const [session] = await query<{ pid: number; version: number }>(SESSION_SETTINGS)
  if (session === undefined) throw new Error('Postgres did not answer who it is')
  pid = session.pid
  return { version: session.version, lost: lost.signal, query }
}

/**
 * Makes the server notice within half a second that we are gone, so that no copy outlives its client; and lets it
 * wait for us as long as we live. Of a machine that is gone from the network it is sure after half a minute.
 */
export async function watchForOurDeath(connection: Connection): Promise<void> {
  await connection.query(
    'SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3',
  )
  if (connection.version < 14_00_00) return
  await connection.query('SET idle_session_timeout = 0')
  try {
    await connection.query(`SET client_connection_check_interval = '500ms'`)
  } catch (error) {
    // Servers on Windows know the setting but cannot do it.
    if (errorCode(error) !== '22023') throw error
  }
}

/** Cancels until the statement has ended: a single request may come before the statement has begun. */
async function cancelStatement(
  client: pg.Client,
  address: ServerAddress,
  { pid, running }: { pid: number; running: Promise<unknown> },
): Promise<void> {
  let ended = false
  const end = running.then(
    () => (ended = true),
    () => (ended = true),
  )
  try {
    const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS)
    const canceler = await connect(address, { signal })
    try {
      while (!ended) {
        signal.throwIfAborted()
        await canceler.query('SELECT pg_catalog.pg_cancel_backend($1)', [pid])
        await Promise.race([end, sleep(100, undefined, { ref: false })])
      }
    } finally {
      await disconnect(canceler)
    }
  } catch {
    // No second connection to be had: cut the first one, which the server then notices by itself.
    client.connection.stream.destroy()
  }
  await end
}

async function disconnect(client: pg.Client): Promise<void> {
  const stopWaiting = new AbortController()
  const cut = sleep(CLOSE_TIMEOUT_MS, undefined, { signal: stopWaiting.signal, ref: false })
    .then(() => client.connection.stream.destroy())
    .catch(() => {})
  try {
    await Promise.race([client.end(), cut])
  } catch {
    client.connection.stream.destroy()
  } finally {
    stopWaiting.abort()
  }
}
