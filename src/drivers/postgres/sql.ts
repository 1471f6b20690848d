import { escapeIdentifier, escapeLiteral } from 'pg'

/** Postgres cuts a longer name off with a mere notice, so that two long names may mean one object. */
export const LONGEST_NAME_BYTES = 63

/**
 * Whether an object of exactly this name can exist. False for what Postgres would cut off or replace on the way:
 * over 63 bytes of UTF-8, empty, with a NUL or half a surrogate pair.
 */
export function isPossibleName(name: string): boolean {
  return (
    name !== '' &&
    Buffer.byteLength(name) <= LONGEST_NAME_BYTES &&
    !name.includes('\0') &&
    !/\p{Surrogate}/u.test(name)
  )
}

/** The name as a quoted SQL identifier. Throws for a name that no object can have; see `isPossibleName`. */
export function identifier(name: string): string {
  if (!isPossibleName(name))
    throw new RangeError(`Postgres can have no object named ${printable(name)}`)
  return escapeIdentifier(name)
}

/** The text as a quoted SQL literal, for statements that take no parameters. Throws for a text with a NUL. */
export function literal(text: string): string {
  if (text.includes('\0')) throw new RangeError('a Postgres text cannot hold a NUL')
  return escapeLiteral(text).trim()
}

/** A foreign name in a message for people: one line, in double quotes, no longer than it helps. */
export function printable(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
}
