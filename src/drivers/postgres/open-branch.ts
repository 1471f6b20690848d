import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { Secret } from '../../domain/secret.ts'
import type { BranchConnection, DriverCall } from '../driver.ts'
import { branchPasswords, setPassword } from './branch-role.ts'
import { withConnection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import { inspectBranch } from './inspect-branch.ts'
import { findPassword, logIn } from './prove-login.ts'
import { databaseUrl, type ServerAddress } from './server-address.ts'

/** Verifies owner and completeness, logs in as the branch's role, and answers the way in. */
export async function openBranch(
  address: ServerAddress,
  ref: BranchRef,
  call: DriverCall,
): Promise<BranchConnection> {
  await requireReady(address, ref, call)
  const password = await provePassword(address, ref, call)
  const login = { user: ref.name, password, database: ref.name }
  return {
    url: databaseUrl(address, login),
    host: address.host,
    port: address.port,
    ...login,
  }
}

async function requireReady(
  address: ServerAddress,
  ref: BranchRef,
  { signal }: DriverCall,
): Promise<void> {
  const found = await withConnection(address, { signal }, (admin) => inspectBranch(admin, ref))
  if (!found.databaseExists && !found.roleExists) throw branchMissing(ref)
  if (!found.ready)
    throw new ActionFailure(
      'branch_incomplete',
      `The branch ${ref.name} is not complete, so its address is not given out. It is tried again, as its creation may still be at work; else create it again.`,
      { retryable: true },
    )
}

/**
 * The password that the server takes. What was given out under an older key stays in force: a build may have it. Only
 * when none is taken, as after a change by the branch's own user, the current one is set.
 */
export async function provePassword(
  address: ServerAddress,
  ref: BranchRef,
  call: DriverCall,
): Promise<Secret> {
  const passwords = branchPasswords(ref, call)
  const login = { user: ref.name, database: ref.name, signal: call.signal }
  const refuse = (error: unknown): never => {
    throw loginRefused(error, ref)
  }
  const taken = await findPassword(address, { ...login, passwords }).catch(refuse)
  if (taken !== undefined) return taken
  const [password] = passwords
  await resetPassword(address, ref, call)
  await logIn(address, { ...login, password }).catch(refuse)
  return password
}

async function resetPassword(
  address: ServerAddress,
  ref: BranchRef,
  call: DriverCall,
): Promise<void> {
  await withConnection(address, { signal: call.signal }, async (admin) => {
    await inspectBranch(admin, ref)
    await setPassword(admin, ref, call)
  })
}

// Anything else, a full server say, is told as what it is.
function loginRefused(error: unknown, ref: BranchRef): unknown {
  const code = errorCode(error) ?? ''
  if (code === '3D000') return branchMissing(ref)
  if (!['28P01', '28000', '42501', '55000'].includes(code)) return error
  return new ActionFailure(
    'branch_refused_login',
    `The branch ${ref.name} exists but the Postgres server refused the login of its own role (${code}), so its address would be of no use. Let the server's pg_hba.conf admit the roles that begin with hp_ by password (scram-sha-256), and redeploy.`,
    { retryable: false, cause: error },
  )
}

function branchMissing(ref: BranchRef): ActionFailure {
  return new ActionFailure(
    'branch_missing',
    `There is no branch ${ref.name} at the Postgres server, so it cannot be opened: it was never created or is deleted already. Redeploy to get a new one.`,
    { retryable: false },
  )
}
