import { ActionFailure } from '../../domain/failure.ts'
import type { Connection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import { dropDatabase } from './drop-database.ts'
import type { FoundLogin, FoundResource, ResourceAtWork } from './inspect-resource.ts'
import { writeResourceMark } from './resource-mark.ts'
import { createLogin, createOwner, newMark } from './resource-roles.ts'
import type { ServerAddress } from './server-address.ts'
import { identifier, literal } from './sql.ts'
import { withLockedResource } from './with-locked-resource.ts'

interface Creation extends ResourceAtWork {
  readonly connectionLimit: number
}

/**
 * Makes the database with its first login, or completes what an earlier try left, and answers the newest generation.
 * The owner and its mark come first and in one transaction, and the login comes last: wherever this is cut off, what is
 * left tells whose it is and that it is not complete. A database that stands is never made anew.
 */
export async function createResource(
  address: ServerAddress,
  creation: Creation,
): Promise<{ generation: number }> {
  return await withLockedResource(address, creation, async (connection, found) => {
    if (!isAsWanted(found, creation)) {
      await creation.call.confirm()
      await complete(connection, { ...creation, found }).catch((error: unknown) => {
        throw madeMeanwhile(error, creation) ?? error
      })
    }
    return { generation: found.logins.at(-1)?.generation ?? 1 }
  })
}

function isAsWanted({ database, logins }: FoundResource, creation: Creation): boolean {
  return (
    database === 'stands' &&
    logins.length > 0 &&
    logins.every((login) => changesTo(login, { logins, creation }) === '')
  )
}

async function complete(
  connection: Connection,
  { found, ...creation }: Creation & { found: FoundResource },
): Promise<void> {
  const { key, call, connectionLimit } = creation
  const { database, logins, now } = found
  const mark = newMark(creation, now)
  const name = identifier(key.resourceId)
  if (!found.roleExists) await createOwner(connection, mark)
  if (database === 'half-dropped') await dropDatabase(connection, key.resourceId)
  if (database === 'half-dropped' || database === 'missing') {
    call.progress(`making the database ${key.resourceId}`)
    await connection.query(`CREATE DATABASE ${name} OWNER ${name}`)
  }
  if (database !== 'stands')
    await connection.query(
      `REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
        COMMENT ON DATABASE ${name} IS ${literal(writeResourceMark(mark))}`,
    )
  if (logins.length === 0)
    await createLogin(connection, { key, call, generation: 1, mark, connectionLimit })
  for (const login of logins) {
    const changes = changesTo(login, { logins, creation })
    if (changes) await connection.query(`ALTER ROLE ${identifier(login.name)} WITH ${changes}`)
  }
}

// Only the newest login is let in again after a deletion that was given up: an older one may be on its way out.
function changesTo(
  login: FoundLogin,
  { logins, creation }: { logins: readonly FoundLogin[]; creation: Creation },
): string {
  const { connectionLimit } = creation
  const admit = login === logins.at(-1) && !login.canLogIn ? 'LOGIN ' : ''
  const limit =
    login.connectionLimit === connectionLimit ? '' : `CONNECTION LIMIT ${connectionLimit}`
  return `${admit}${limit}`
}

// Holdpoint's own calls exclude each other by the lock, so whoever made the name meanwhile is somebody else, or a
// Holdpoint that locks in another maintenance database. The next try finds out by the mark.
function madeMeanwhile(error: unknown, { key }: Creation): ActionFailure | undefined {
  if (!['23505', '42P04', '42710'].includes(errorCode(error) ?? '')) return undefined
  return new ActionFailure(
    'resource_made_meanwhile',
    `${key.resourceId} was made by someone else at the same time, so this attempt stopped. It is tried again; let all workers use the same maintenance database in the Postgres URL.`,
    { retryable: true, cause: error },
  )
}
