/** Where events go. `event` is a stable dotted name, `fields` are ids and numbers: never a payload, never a secret. */
export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export type LogFields = Record<string, unknown>

/** Writes one JSON object a line. Credentials that slipped into a text are blanked (see `redact`). */
export function jsonLog(write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      write(
        redact(
          JSON.stringify({ at: new Date().toISOString(), level, event, ...fields }, printable),
        ) + '\n',
      )
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/** Drops everything; for tests and for commands whose output is for people. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} }

/**
 * Blanks what looks like a credential: passwords in connection strings and bearer tokens. The last wall, not the
 * first: secrets travel as `Secret`, which never prints.
 */
export function redact(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/"]*):[^\s@"]*@/gi, '$1:[redacted]@')
    .replaceAll(/(bearer\s+)[^\s"]+/gi, '$1[redacted]')
}

function printable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error)
    return { name: value.name, message: value.message, stack: value.stack }
  return value
}
