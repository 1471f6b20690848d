import { ActionFailure } from '../../domain/failure.ts'
import type { ResourceKey } from '../../domain/resource-key.ts'
import type { DriverCall } from '../driver.ts'
import type { Connection } from './connection.ts'
import { generationOf, loginPrefix } from './login-name.ts'
import { type ResourceMark, readResourceMark } from './resource-mark.ts'
import { printable } from './sql.ts'

/** What of a resource stands at the server. Only what was verified to carry its mark gets into such an object. */
export interface FoundResource {
  readonly roleExists: boolean
  /** `open`: everybody may connect still, so it was left half made. */
  readonly database: 'missing' | 'half-dropped' | 'open' | 'stands'
  /** The oldest first. */
  readonly logins: readonly FoundLogin[]
  /** The time by the server's clock, which is the same for all workers. */
  readonly now: Date
}

export interface FoundLogin {
  readonly name: string
  readonly generation: number
  readonly canLogIn: boolean
  readonly connectionLimit: number
  readonly rotationId: string | undefined
}

export interface ResourceAtWork {
  readonly key: ResourceKey
  readonly call: DriverCall
}

/**
 * Finds what stands under the resource's name, and refuses for good (`resource_owner_mismatch`) when any of it was not
 * made for this resource by this Holdpoint. A database is ours when it belongs to our role: its own mark may be changed
 * by the customer.
 */
export async function inspectResource(
  connection: Connection,
  { key, call }: ResourceAtWork,
): Promise<FoundResource> {
  const name = key.resourceId
  const isOurs = (mark: ResourceMark | undefined) =>
    mark?.resourceId === name && mark.holdpoint === call.holdpoint
  const [row] = await connection.query<ResourceRow>(RESOURCE, [name])
  if (row === undefined) throw new Error('Postgres did not answer what there is')
  if (row.rolname !== null && !isOurs(readResourceMark(row.role_comment)))
    throw ownerMismatch('role', name)
  if (row.datname !== null && row.owned_by_role !== true) throw ownerMismatch('database', name)

  const logins: FoundLogin[] = []
  for (const login of await connection.query<LoginRow>(LOGINS, [loginPrefix(name)])) {
    const generation = generationOf(name, login.rolname)
    const mark = readResourceMark(login.comment)
    if (generation === undefined || !isOurs(mark)) continue
    logins.push({
      name: login.rolname,
      generation,
      canLogIn: login.rolcanlogin,
      connectionLimit: login.rolconnlimit,
      rotationId: mark?.rotationId,
    })
  }
  return {
    roleExists: row.rolname !== null,
    database: stateOf(row),
    logins: logins.sort((one, other) => one.generation - other.generation),
    now: row.now,
  }
}

export function ownerMismatch(what: 'role' | 'database', name: string): ActionFailure {
  return new ActionFailure(
    'resource_owner_mismatch',
    `A ${what} named ${printable(name)} exists at the Postgres server but was not made there by this Holdpoint, so it was left as it is. If nobody needs it, drop it by hand and try again.`,
    { retryable: false },
  )
}

interface ResourceRow {
  readonly now: Date
  readonly datname: string | null
  readonly half_dropped: boolean | null
  readonly open_to_all: boolean | null
  readonly owned_by_role: boolean | null
  readonly rolname: string | null
  readonly role_comment: string | null
}

// A new database has no list of rights, which means that everybody may connect. Once rights were changed it has one.
const RESOURCE = `
  SELECT clock_timestamp() AS now, d.datname, d.datconnlimit = -2 AS half_dropped, d.datacl IS NULL AS open_to_all,
      d.datdba = r.oid AS owned_by_role, r.rolname, shobj_description(r.oid, 'pg_authid') AS role_comment
    FROM (SELECT $1::text AS name) AS asked
    LEFT JOIN pg_database d ON d.datname = asked.name
    LEFT JOIN pg_roles r ON r.rolname = asked.name`

interface LoginRow {
  readonly rolname: string
  readonly rolcanlogin: boolean
  readonly rolconnlimit: number
  readonly comment: string | null
}

const LOGINS = `
  SELECT rolname, rolcanlogin, rolconnlimit, shobj_description(oid, 'pg_authid') AS comment
    FROM pg_roles WHERE starts_with(rolname::text, $1)`

function stateOf(row: ResourceRow): FoundResource['database'] {
  if (row.datname === null) return 'missing'
  if (row.half_dropped === true) return 'half-dropped'
  return row.open_to_all === true ? 'open' : 'stands'
}
