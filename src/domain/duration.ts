import ms from 'ms'

/** The milliseconds of a duration such as `'90 seconds'`; undefined for a text that is none, or a negative one. */
export function parseDuration(text: string): number | undefined {
  // Of an empty text `ms` makes an error of its own.
  const value = text === '' ? undefined : (ms(text as ms.StringValue) as number | undefined)
  return value !== undefined && value >= 0 ? value : undefined
}

/** A duration for people, `'2 hours'`. */
export function describeDuration(durationMs: number): string {
  return ms(Math.round(durationMs), { long: true })
}
