import pg from 'pg'
import { ActionFailure } from '../domain/failure.ts'
import { describeStoreError } from './describe-store-error.ts'

/** The database of the store. What goes wrong is thrown as an `ActionFailure`, `doing` being what failed with it. */
export interface StoreDatabase {
  /** Runs one statement. */
  readonly run: <Row extends pg.QueryResultRow>(
    doing: string,
    text: string,
    values?: readonly unknown[],
  ) => Promise<pg.QueryResult<Row>>
  /** Does the work in one transaction, which holds if the work resolves. */
  transaction<Result>(
    doing: string,
    work: (client: pg.ClientBase) => Promise<Result>,
  ): Promise<Result>
  /** Does the work on a session of its own, which ends with it, and takes as long as it takes. */
  session<Result>(doing: string, work: (client: pg.Client) => Promise<Result>): Promise<Result>
  /** Closes all connections. The second time it does nothing. */
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 5_000
// A server that is cut off does not say so.
const STATEMENT_TIMEOUT_MS = 10_000

/** Connects when it is first used. Throws an `ActionFailure` for a URL that cannot be read. */
export function openDatabase(url: string): StoreDatabase {
  const settings: pg.ClientConfig = {
    connectionString: readable(url),
    application_name: 'holdpoint store',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  }
  const pool = new pg.Pool({ ...settings, max: 10, query_timeout: STATEMENT_TIMEOUT_MS })
  pool.on('error', ignore)
  let closing: Promise<void> | undefined

  return {
    async run<Row extends pg.QueryResultRow>(
      doing: string,
      text: string,
      values: readonly unknown[] = [],
    ) {
      try {
        return await pool.query<Row>(text, [...values])
      } catch (error) {
        throw describeStoreError(error, doing)
      }
    },

    async transaction(doing, work) {
      const client = await pool.connect().catch((error: unknown) => {
        throw describeStoreError(error, doing)
      })
      client.on('error', ignore)
      let failed = true
      try {
        await client.query('BEGIN')
        const result = await work(client)
        await client.query('COMMIT')
        failed = false
        return result
      } catch (error) {
        throw describeStoreError(error, doing)
      } finally {
        client.off('error', ignore)
        // A connection that is closed rolls back what it left open.
        client.release(failed)
      }
    },

    async session(doing, work) {
      const client = new pg.Client(settings)
      client.on('error', ignore)
      try {
        await client.connect()
        return await work(client)
      } catch (error) {
        throw describeStoreError(error, doing)
      } finally {
        await client.end().catch(() => {})
      }
    },

    close: () => (closing ??= pool.end()),
  }
}

// A connection that is lost is told as an event too, which would end the process; the statement in hand, or the next
// one, fails anyway.
function ignore(): void {}

function readable(url: string): string {
  try {
    if (!/^postgres(ql)?:\/\//i.test(url)) throw new TypeError('not a postgres:// URL')
    // As the driver reads it, files that it names included.
    void new pg.Client({ connectionString: url })
    return url
  } catch {
    // The cause is left out on purpose: errors about a URL quote it, with its password.
    throw new ActionFailure(
      'store_url_invalid',
      'The URL of the installation store cannot be read, so the store is not opened. Set HOLDPOINT_DATABASE_URL to postgres://user:password@host:port/database, with special characters percent-encoded.',
      { retryable: false },
    )
  }
}
