import pg from 'pg'
import { ActionFailure } from '../../domain/failure.ts'
import { Secret } from '../../domain/secret.ts'

/** Where a server is and who we are there; read once from its URL, so that nothing else ever handles that text. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: Secret
  /** The maintenance database: where databases are created and dropped from. */
  readonly database: string
  readonly tls: pg.ClientConfig['ssl']
  /** The URL's query parameters that concern the transport: `sslmode`, `sslrootcert`, …. */
  readonly transport: ReadonlyMap<string, string>
}

const TRANSPORT_PARAMETERS = [
  'sslmode',
  'sslnegotiation',
  'channel_binding',
  'uselibpqcompat',
  'sslrootcert',
  'sslcert',
  'sslkey',
]

/** Reads a `postgres://` URL as libpq does, defaults included. Its text never gets into the error. */
export function parseServerUrl(url: string): ServerAddress {
  try {
    if (!/^postgres(ql)?:\/\//i.test(url)) throw new TypeError('not a postgres:// URL')
    const parsed = new pg.Client({ connectionString: url })
    return {
      host: parsed.host,
      port: parsed.port,
      user: parsed.user ?? '',
      password: new Secret(parsed.password ?? ''),
      database: parsed.database ?? '',
      tls: parsed.ssl,
      transport: transportParameters(url),
    }
  } catch {
    // The cause is left out on purpose: errors about a URL quote it, with its password.
    throw new ActionFailure(
      'postgres_url_invalid',
      'The configured Postgres URL cannot be read, so no branch can be made. Set it to postgres://user:password@host:port/database, with special characters percent-encoded and certificate files readable.',
      { retryable: false },
    )
  }
}

/** The URL of a database on that server, for those who are given it; files of this machine are not named in it. */
export function databaseUrl(
  address: ServerAddress,
  login: { user: string; password: Secret; database: string },
): Secret {
  const credentials = `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password.reveal())}`
  const query = new URLSearchParams(
    [...address.transport].filter(([name]) => !/^ssl(rootcert|cert|key)$/.test(name)),
  )
  const isSocket = address.host.startsWith('/')
  if (isSocket) query.set('host', address.host)
  const host = isSocket ? '' : address.host.includes(':') ? `[${address.host}]` : address.host
  const suffix = query.size > 0 ? `?${query.toString()}` : ''
  return new Secret(
    `postgresql://${credentials}@${host}:${address.port}/${encodeURIComponent(login.database)}${suffix}`,
  )
}

function transportParameters(url: string): Map<string, string> {
  const query = new URLSearchParams(url.split('?').slice(1).join('?'))
  return new Map([...query].filter(([name]) => TRANSPORT_PARAMETERS.includes(name)))
}
