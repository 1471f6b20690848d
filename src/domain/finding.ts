/** One line of a check-up. `fix` is there whenever something is not in order. */
export interface Finding {
  readonly subject: string
  readonly level: 'ok' | 'warning' | 'error'
  readonly message: string
  readonly fix?: string
}
