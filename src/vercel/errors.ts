/** A call to Vercel that did not succeed. The message holds ids and codes, never a token and never a body we sent. */
export class VercelApiError extends Error {
  /** The HTTP status; 0 when no answer came. */
  readonly status: number
  /** Vercel's `error.code`, or `no_answer`. */
  readonly code: string
  /** Whether Vercel may have acted on the request all the same: the answer was lost, or its server broke. */
  readonly mayHaveActed: boolean
  /** How long Vercel asks us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    options: {
      status: number
      code: string
      mayHaveActed: boolean
      retryAfterMs?: number | undefined
      cause?: unknown
    },
  ) {
    super(message, { cause: options.cause })
    this.name = 'VercelApiError'
    this.status = options.status
    this.code = options.code
    this.mayHaveActed = options.mayHaveActed
    this.retryAfterMs = options.retryAfterMs
  }

  /**
   * Whether the same request may succeed later. 401 and 403 count: Vercel replaces tokens at run time and enables
   * installations again, and a held build is worth the wait until the action's deadline.
   */
  get retryable(): boolean {
    return (
      this.status === 0 || this.status >= 500 || [401, 403, 408, 425, 429].includes(this.status)
    )
  }
}
