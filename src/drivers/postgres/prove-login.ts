import type { Secret } from '../../domain/secret.ts'
import { withConnection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import type { ServerAddress } from './server-address.ts'

export interface LoginToProve {
  readonly user: string
  readonly database: string
  readonly signal: AbortSignal
}

/** Logs in once. Throws what Postgres says when it does not let the password in. */
export async function logIn(
  address: ServerAddress,
  login: LoginToProve & { password: Secret },
): Promise<void> {
  await withConnection(address, login, (session) => session.query('SELECT 1'))
}

/**
 * The first of these passwords that lets the user in, or would but for too many connections; undefined when none does.
 * Throws what else is in the way.
 */
export async function findPassword(
  address: ServerAddress,
  { passwords, ...login }: LoginToProve & { passwords: readonly Secret[] },
): Promise<Secret | undefined> {
  for (const password of passwords) {
    try {
      await logIn(address, { ...login, password })
      return password
    } catch (error) {
      if (isAtLimit(error)) return password
      if (errorCode(error) !== '28P01') throw error
    }
  }
  return undefined
}

// Postgres counts the connections of a role and of a database after it has taken the password.
function isAtLimit(error: unknown): boolean {
  if (errorCode(error) !== '53300' || !(error instanceof Error) || !('routine' in error))
    return false
  return error.routine === 'InitializeSessionUserId' || error.routine === 'CheckMyDatabase'
}
