import { ActionFailure } from '../../domain/failure.ts'
import type { ResourceConnection } from '../driver.ts'
import { withConnection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import { inspectResource, type ResourceAtWork } from './inspect-resource.ts'
import { loginName } from './login-name.ts'
import { findPassword } from './prove-login.ts'
import { requireComplete } from './require-complete.ts'
import { requireResourceName } from './require-resource-name.ts'
import { loginPasswords } from './resource-roles.ts'
import { databaseUrl, type ServerAddress } from './server-address.ts'
import { printable } from './sql.ts'

/** Verifies mark and completeness, logs in with the generation's credentials, and answers the way in. */
export async function openResource(
  address: ServerAddress,
  { key, call, generation }: ResourceAtWork & { generation: number },
): Promise<ResourceConnection> {
  requireResourceName(key)
  const { signal } = call
  const found = await withConnection(address, { signal }, (admin) =>
    inspectResource(admin, { key, call }),
  )
  requireComplete(key, found)
  const user = loginName(key.resourceId, generation)
  if (!found.logins.some((login) => login.name === user)) throw loginEnded(user)
  const database = key.resourceId
  const passwords = loginPasswords(key, generation, call)
  const password = await findPassword(address, { user, database, signal, passwords }).catch(
    (error: unknown) => {
      throw loginRefused(error, user)
    },
  )
  // It is never set anew: the customer's projects may work with what it was changed to.
  if (password === undefined) throw passwordUnknown(user)
  const login = { user, password, database }
  return { url: databaseUrl(address, login), host: address.host, port: address.port, ...login }
}

function loginEnded(user: string): ActionFailure {
  return new ActionFailure(
    'resource_login_ended',
    `The credentials of ${printable(user)} were ended, so they are not given out. Rotate the secrets of the resource to get new ones.`,
    { retryable: false },
  )
}

function passwordUnknown(user: string): ActionFailure {
  return new ActionFailure(
    'resource_password_unknown',
    `The Postgres server takes no password for ${printable(user)} that Holdpoint can tell, so none is given out: it was changed, or the key that it was made with is no longer configured. Rotate the secrets of the resource to get new ones; what works now goes on working until then.`,
    { retryable: false },
  )
}

// Anything else, a full server say, is told as what it is.
function loginRefused(error: unknown, user: string): unknown {
  const code = errorCode(error) ?? ''
  if (!['28000', '42501', '55000'].includes(code)) return error
  return new ActionFailure(
    'resource_refused_login',
    `The database stands but the Postgres server refused the login of ${printable(user)} (${code}), so its address would be of no use. Let the server's pg_hba.conf admit the roles that begin with hpr_ by password (scram-sha-256), and the customer let them connect to the database.`,
    { retryable: false, cause: error },
  )
}
