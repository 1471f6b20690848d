import pg from 'pg'
import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { DriverCall } from '../driver.ts'
import { APPLICATION_NAME } from '../postgres/connection.ts'
import { errorCode } from '../postgres/describe-error.ts'
import type { ServerAddress } from '../postgres/server-address.ts'
import { backoffMs, pause } from './pause.ts'

/** A compute that sleeps is woken by a connection, usually in under a second. */
const WAKING_MS = 60_000
const LOGIN_TIMEOUT_MS = 15_000

/** Which refusals will be the same a second later. A password may be new to a compute that is just starting. */
const FINAL = new Set(['28000', '3D000', '42501'])

/** Logs in, and again while the compute wakes. Fails after a minute, or at once when Postgres refuses the role. */
export async function proveLogin(
  address: ServerAddress,
  { ref }: { ref: BranchRef },
  call: DriverCall,
): Promise<void> {
  const { signal } = call
  const end = performance.now() + WAKING_MS
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await logIn(address, signal)
    } catch (error) {
      signal.throwIfAborted()
      const code = errorCode(error)
      if (code && FINAL.has(code)) throw loginRefused(ref, code)
      if (performance.now() > end)
        throw code === '28P01' ? loginRefused(ref, code) : staysAsleep(ref, code)
    }
    if (attempt === 1) call.progress(`waiting for the compute of ${ref.name} to wake`)
    await pause(backoffMs(attempt), signal)
  }
}

// Changes no setting of the session: through the pooler it would outlive us, in somebody else's connection.
async function logIn(address: ServerAddress, signal: AbortSignal): Promise<void> {
  const { host, port, user, password, database, tls } = address
  const client = new pg.Client({
    host,
    port,
    user,
    password: password.reveal(),
    database,
    ssl: tls,
    application_name: APPLICATION_NAME,
  })
  client.on('error', () => {})
  const cut = () => client.connection.stream.destroy()
  const bound = AbortSignal.any([signal, AbortSignal.timeout(LOGIN_TIMEOUT_MS)])
  bound.throwIfAborted()
  bound.addEventListener('abort', cut, { once: true })
  try {
    await client.connect()
    await client.query('SELECT 1')
    await client.end()
  } finally {
    bound.removeEventListener('abort', cut)
    cut()
  }
}

function loginRefused({ name }: BranchRef, code: string): ActionFailure {
  return new ActionFailure(
    'branch_refused_login',
    `The branch ${name} exists but its Postgres refused the login that Neon gave (${code}), so its address would be of no use. Check in Neon's console that the role and the database of neon({ … }) are there and that the role may log in, and redeploy.`,
    { retryable: false },
  )
}

function staysAsleep({ name }: BranchRef, code: string | undefined): ActionFailure {
  return new ActionFailure(
    'branch_asleep',
    `The compute of the branch ${name} did not take a connection within ${WAKING_MS / 1_000} seconds (${code ?? 'connection lost'}), so its address is not given out. It is tried again; see in Neon's console whether the compute starts, and whether the project's IP rules let Holdpoint in.`,
    { retryable: true },
  )
}
