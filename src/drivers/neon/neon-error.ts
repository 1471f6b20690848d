import { ActionFailure } from '../../domain/failure.ts'

/**
 * A call to Neon's API that did not succeed. Holds ids, codes and Neon's words: never the API key, and nothing of the
 * HTTP client, whose errors carry the whole request.
 */
export class NeonError extends Error {
  /** The HTTP status; 0 when no answer came. */
  readonly status: number
  /** Neon's own code, which is often empty: `BRANCHES_LIMIT_EXCEEDED`. */
  readonly code: string
  /** Whether Neon may have done all the same what was asked. */
  readonly mayHaveActed: boolean
  /** How long Neon asks us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    options: { status: number; code?: string; mayHaveActed: boolean; retryAfterMs?: number },
  ) {
    super(message)
    this.name = 'NeonError'
    this.status = options.status
    this.code = options.code ?? ''
    this.mayHaveActed = options.mayHaveActed
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Whether Neon says that there is no such thing, or shows none to this key. */
export function isMissing(error: unknown): boolean {
  return error instanceof NeonError && error.status === 404
}

/**
 * The error as a decision: `doing` is what failed, as the end of a sentence ("the branch x was not made"). Leaves an
 * `ActionFailure` as it is.
 */
export function describeNeonError(error: unknown, doing: string): ActionFailure {
  if (error instanceof ActionFailure) return error
  if (!(error instanceof NeonError))
    return new ActionFailure(
      'neon_failed',
      `The work with Neon broke off (${error instanceof Error ? error.name : 'unknown'}), so ${doing}. It is tried again; if it fails each time, report it.`,
      { retryable: true, cause: error },
    )
  const { status, message, retryAfterMs } = error
  if (status === 401 || status === 403)
    return new ActionFailure(
      'neon_refused_key',
      `${message}, so ${doing}. Give neon({ apiKey }) a key that is valid and may change the project; it is tried again until then.`,
      { retryable: true, retryAfterMs },
    )
  if (status === 423)
    return new ActionFailure(
      'neon_locked',
      `${message}, because other operations on the project run, so ${doing}. It is tried again when they have ended.`,
      { retryable: true, retryAfterMs },
    )
  if (status === 429)
    return new ActionFailure(
      'neon_rate_limited',
      `${message}, so ${doing}. It is tried again; let fewer programs share the account of this API key.`,
      { retryable: true, retryAfterMs },
    )
  if (status < 400 || status === 408 || status >= 500)
    return new ActionFailure(
      'neon_unavailable',
      `${message}, so ${doing}. It is tried again; Neon's status page tells of outages.`,
      { retryable: true, retryAfterMs },
    )
  return new ActionFailure(
    'neon_refused',
    `${message}, so ${doing}. Correct what Neon names, in its console or in neon({ … }), and redeploy.`,
    { retryable: false },
  )
}
