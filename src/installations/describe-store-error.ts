import { ActionFailure } from '../domain/failure.ts'

/**
 * The error as a decision: `doing` is what failed, as the end of a sentence ("the resource db_1 is not stored"). Leaves
 * an `ActionFailure` as it is. The text never holds a value that was to be stored, nor the database's URL.
 */
export function describeStoreError(error: unknown, doing: string): ActionFailure {
  if (error instanceof ActionFailure) return error
  const code = errorCode(error) ?? ''
  const failed = (name: string, retryable: boolean, message: string) =>
    new ActionFailure(name, message, { retryable, cause: error })
  switch (code) {
    case '23503':
      return installationUnknown(doing)
    case '22021':
    case '22P05':
      return failed(
        'value_unstorable',
        false,
        `A text holds a character that Postgres cannot store (NUL), so ${doing}. Send it without that character.`,
      )
    case '28P01':
    case '28000':
    case '3D000':
      return failed(
        'store_refused_login',
        true,
        `The database of the installation store refused the login (${code}), so ${doing}. Check user, password and database of HOLDPOINT_DATABASE_URL, and the server's pg_hba.conf.`,
      )
    case '42501':
      return failed(
        'store_rights_missing',
        false,
        `The role of HOLDPOINT_DATABASE_URL lacks a right (${serverWords(error)}), so ${doing}. Let it create schemas in that database, or make it the owner of the schema holdpoint.`,
      )
    case '3F000':
    case '42P01':
      return failed(
        'store_not_prepared',
        true,
        `The installation store has no tables yet, so ${doing}. Start Holdpoint on this database once: it makes them.`,
      )
    default:
      return unforeseen(error, doing)
  }
}

function unforeseen(error: unknown, doing: string): ActionFailure {
  const code = errorCode(error)
  if (isConnectionLoss(error, code)) {
    return new ActionFailure(
      'store_unreachable',
      `The database of the installation store cannot be reached (${code ?? 'connection lost'}), so ${doing}. It is tried again; check that the server runs, and that HOLDPOINT_DATABASE_URL and its firewall let Holdpoint in.`,
      { retryable: true, cause: error },
    )
  }
  return new ActionFailure(
    'store_failed',
    `The database of the installation store reported ${code ?? 'an error'} (${serverWords(error)}), so ${doing}. It is tried again; the server's log has the details.`,
    { retryable: true, cause: error },
  )
}

/** What belongs to an installation cannot be stored without it. */
export function installationUnknown(doing: string): ActionFailure {
  return new ActionFailure(
    'installation_unknown',
    `The installation is unknown or was removed, so ${doing}. Have it installed again, or name another one.`,
    { retryable: false },
  )
}

/** The id belongs to somebody else already. */
export function resourceForeign(resource: { id: string; installationId: string }): ActionFailure {
  return new ActionFailure(
    'resource_foreign',
    `Another installation has a resource ${resource.id}, so it is not stored for ${resource.installationId}. Give each resource an id of its own.`,
    { retryable: false },
  )
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether the server is away, shutting down, starting or full: the same call may succeed a moment later. */
function isConnectionLoss(error: unknown, code: string | undefined): boolean {
  if (code === undefined)
    return error instanceof Error && /timeout|terminated|not queryable|SSL/i.test(error.message)
  return /^(08...|53...|57P0[1-5]|E(?!RR_)[A-Z_]+|CERT_.*|ERR_(TLS|SSL)_.*)$/.test(code)
}

function serverWords(error: unknown): string {
  const text = error instanceof Error ? error.message : 'unknown'
  return text.replaceAll(/\s+/g, ' ').slice(0, 200)
}
