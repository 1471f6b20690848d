/**
 * An error that says what to do with it. Throw it from an action or a driver.
 *
 * `message` is shown to the developer whose build is held (Vercel's `statusText`) and stands in workflow histories:
 * what failed, why it matters, what to do next; never a secret.
 */
export class ActionFailure extends Error {
  /** Stable and machine-readable: `source_missing`, `deployment_gone`. */
  readonly code: string
  /** Whether the same call may succeed later. A failure that is not retryable ends the action at once. */
  readonly retryable: boolean
  /** The earliest moment to try again, in milliseconds from now; unset leaves it to the retry policy. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: string,
    message: string,
    options: { retryable: boolean; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(message, { cause: options.cause })
    this.name = 'ActionFailure'
    this.code = code
    this.retryable = options.retryable
    this.retryAfterMs = options.retryAfterMs
  }
}
