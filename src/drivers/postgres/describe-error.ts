import { ActionFailure } from '../../domain/failure.ts'

/** The SQLSTATE of an error of Postgres, or the code of an error of the network. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * The error as a decision: `doing` is what failed, as the start of a sentence ("the branch x could not be created").
 * Leaves an `ActionFailure` as it is. The text has the server's own words but never a password or a URL: no
 * statement of ours carries one.
 */
export function describeError(error: unknown, doing: string): ActionFailure {
  if (error instanceof ActionFailure) return error
  const code = errorCode(error)
  if (isConnectionLoss(error, code))
    return failure('postgres_unreachable', true, {
      error,
      message: `The Postgres server cannot be reached (${code ?? 'connection lost'}), so ${doing}. It is tried again; check that the server runs and that its address and firewall let Holdpoint in.`,
    })
  if (code === '28P01' || code === '28000')
    return failure('postgres_refused_login', true, {
      error,
      message: `The Postgres server refused Holdpoint's own login (${code}), so ${doing}. Check user and password of the configured Postgres URL, and the server's pg_hba.conf.`,
    })
  if (code === '42501')
    return failure('postgres_rights_missing', false, {
      error,
      message: `Holdpoint's Postgres role lacks a right (${serverWords(error)}), so ${doing}. Make it a superuser, or give it CREATEDB and CREATEROLE and let it own the resource databases with all that is in them.`,
    })
  return failure('postgres_failed', true, {
    error,
    message: `Postgres reported ${code ?? 'an error'} (${serverWords(error)}), so ${doing}. It is tried again; the server's log has the details.`,
  })
}

/** Whether a SQLSTATE tells of a lost connection, a server that is full or shuts down, or a deadlock. */
export function isPassing(code: string): boolean {
  return /^(08|53|57P|40)/.test(code)
}

/** Whether the server is away, shutting down, starting or full: the same call may succeed a moment later. */
function isConnectionLoss(error: unknown, code: string | undefined): boolean {
  if (code === undefined)
    return error instanceof Error && /timeout|terminated|not queryable|SSL/i.test(error.message)
  return /^(08...|53...|57P0[1-5]|E(?!RR_)[A-Z_]+|CERT_.*|ERR_(TLS|SSL)_.*|.*_CERT(IFICATE)?(_.*)?)$/.test(
    code,
  )
}

function serverWords(error: unknown): string {
  const text = error instanceof Error ? error.message : 'unknown'
  return text.replaceAll(/\s+/g, ' ').slice(0, 200)
}

function failure(
  code: string,
  retryable: boolean,
  { error, message }: { error: unknown; message: string },
): ActionFailure {
  return new ActionFailure(code, message, { retryable, cause: error })
}
