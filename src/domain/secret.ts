/**
 * A value that must not be seen. However it is printed, logged, inspected, concatenated or serialised, it shows
 * `[redacted]`; only `reveal()` gives it away, which makes its few callers easy to search for.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Only for the wire: never for a log, an error or anything that is stored. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]'
  }
}
