import type { ResourceKey } from '../../domain/resource-key.ts'
import type { Secret } from '../../domain/secret.ts'
import type { DriverCall } from '../driver.ts'
import type { Connection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import { ownerMismatch, type ResourceAtWork } from './inspect-resource.ts'
import { joinStatement } from './join-role.ts'
import { loginName } from './login-name.ts'
import { type ResourceMark, writeResourceMark } from './resource-mark.ts'
import { scramVerifier } from './scram-verifier.ts'
import { identifier, literal } from './sql.ts'

/** How many connections a login may have at a time where nobody says a number. */
export const UNLIMITED = -1

/** The passwords that a login of this generation may have, the one to give it now first. */
export function loginPasswords(
  { resourceId }: ResourceKey,
  generation: number,
  call: DriverCall,
): readonly [Secret, ...Secret[]] {
  return call.deriveSecrets(`postgres resource ${resourceId} ${generation}`)
}

/** The mark of something made now. */
export function newMark({ key, call }: ResourceAtWork, now: Date): ResourceMark {
  return { resourceId: key.resourceId, holdpoint: call.holdpoint, createdAt: now }
}

/** Makes the role that owns the resource and its mark, in one transaction. Nobody logs in as it. */
export async function createOwner(connection: Connection, mark: ResourceMark): Promise<void> {
  const role = identifier(mark.resourceId)
  const join = await joinStatement(connection, mark.resourceId)
  await connection.query(
    `CREATE ROLE ${role} WITH NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
      COMMENT ON ROLE ${role} IS ${literal(writeResourceMark(mark))}; ${join}`,
  )
}

/**
 * Makes a login and its mark, in one transaction: so a login that is there is complete. Its sessions act as the role
 * that owns the resource, so what they make stays when the login goes. The limit is the login's and not the database's,
 * which the customer may change. Fails for good (`resource_owner_mismatch`) when somebody else made a role of that name.
 */
export async function createLogin(
  connection: Connection,
  { key, call, generation, mark, connectionLimit }: LoginToMake,
): Promise<void> {
  const owner = identifier(key.resourceId)
  const name = loginName(key.resourceId, generation)
  const login = identifier(name)
  const verifier = await scramVerifier(loginPasswords(key, generation, call)[0])
  const join = await joinStatement(connection, name)
  const make = connection.query(
    `CREATE ROLE ${login} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT
        CONNECTION LIMIT ${connectionLimit} IN ROLE ${owner} PASSWORD ${literal(verifier)};
      ALTER ROLE ${login} SET role = ${literal(key.resourceId)};
      COMMENT ON ROLE ${login} IS ${literal(writeResourceMark(mark))}; ${join}`,
  )
  await make.catch((error: unknown) => {
    // Whoever asked for this login has looked and found none of ours.
    throw errorCode(error) === '42710' ? ownerMismatch('role', name) : error
  })
}

interface LoginToMake extends ResourceAtWork {
  readonly generation: number
  readonly mark: ResourceMark
  readonly connectionLimit: number
}
