import { stat } from 'node:fs/promises'
import { Secret } from '../domain/secret.ts'
import type { BranchConnection } from '../drivers/driver.ts'
import { parseServerUrl } from '../drivers/postgres/server-address.ts'
import { inheritedEnvironment } from './inherited-environment.ts'
import { type Migration, migrationFailed } from './migration.ts'
import { OutputTail } from './output-tail.ts'
import { type ProgramEnd, runInGroup } from './process-group.ts'
import { branchScrubber } from './scrub-branch.ts'

export interface CommandOptions {
  /** Where it runs. Default: the process's own directory. */
  readonly cwd?: string
  /** More variables, laid over those below. A `Secret` is blanked in what the command prints. */
  readonly env?: (branch: BranchConnection) => Readonly<Record<string, Secret | string>>
  /** How long it may take to end after SIGTERM before it is killed, in milliseconds. Default 5000. */
  readonly killAfterMs?: number
}

/** How much of what a failed command printed its user gets to read. */
const SHOWN_CHARACTERS = 1000
const PROGRESS_EVERY_MS = 1000

/**
 * Runs a program such as `npx prisma migrate deploy` on the branch, without a shell. It gets `DATABASE_URL`, `PGHOST`,
 * `PGPORT`, `PGUSER`, `PGPASSWORD` and `PGDATABASE` of the branch, and of our environment only what any program needs
 * (`PATH`, `HOME`, locale, temporary directory, certificates, `NODE_ENV`): none of our tokens. It may be run a second
 * time, also after it was killed, so use one that remembers what it has applied.
 *
 * Fails for good when it exits with anything but 0, with the end of what it printed; the branch's password and URL are
 * blanked. When the call aborts, the program and all that it started are ended before this returns. Not for Windows.
 */
export function command(
  file: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
): Migration {
  return async (branch, call) => {
    const given = options.env?.(branch) ?? {}
    const more = Object.values(given).flatMap((value) =>
      value instanceof Secret ? [value.reveal()] : [],
    )
    const scrub = branchScrubber(branch, more)
    const name = scrub([file, ...args].join(' '))
      .replaceAll(/\s+/g, ' ')
      .slice(0, 80)
    const tail = new OutputTail(scrub)
    const tell = setInterval(() => {
      const line = tail.lastLine()
      if (line !== undefined) call.progress(line)
    }, PROGRESS_EVERY_MS)
    call.progress(name)
    try {
      const end = await runInGroup({
        file,
        args,
        cwd: options.cwd,
        env: { ...inheritedEnvironment(), ...branchEnvironment(branch), ...revealed(given) },
        signal: call.signal,
        killAfterMs: options.killAfterMs ?? 5000,
        onOutput: (text) => tail.add(text),
      })
      call.signal.throwIfAborted()
      await requireSuccess(end, { name, cwd: options.cwd, output: tail.text(SHOWN_CHARACTERS) })
    } finally {
      clearInterval(tell)
    }
  }
}

function branchEnvironment(branch: BranchConnection): Record<string, string> {
  const url = branch.url.reveal()
  const sslmode = parseServerUrl(url).transport.get('sslmode')
  return {
    DATABASE_URL: url,
    PGHOST: branch.host,
    PGPORT: String(branch.port),
    PGUSER: branch.user,
    PGPASSWORD: branch.password.reveal(),
    PGDATABASE: branch.database,
    // `no-verify` is node-postgres's own word for what libpq calls `require`.
    ...(sslmode !== undefined && { PGSSLMODE: sslmode === 'no-verify' ? 'require' : sslmode }),
  }
}

function revealed(env: Readonly<Record<string, Secret | string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value instanceof Secret ? value.reveal() : value,
    ]),
  )
}

async function requireSuccess(
  end: ProgramEnd,
  { name, cwd, output }: { name: string; cwd: string | undefined; output: string },
): Promise<void> {
  const consequence = 'so the branch has not the schema that the build needs'
  const words = output === '' ? 'It printed nothing.' : `It ended with:\n${output}`
  switch (end.kind) {
    case 'exited':
      if (end.code === 0) return
      throw migrationFailed(
        `The migration \`${name}\` failed with exit code ${end.code}, ${consequence}. Correct it and deploy again. ${words}`,
      )
    case 'killed':
      throw migrationFailed(
        `The migration \`${name}\` was killed (${end.signal}), ${consequence}. It is tried again; the provider should see whether its machine has memory enough. ${words}`,
        { retryable: true },
      )
    case 'not-started': {
      const place = cwd !== undefined && !(await isDirectory(cwd)) ? `the directory ${cwd}` : 'it'
      throw migrationFailed(
        `The migration \`${name}\` could not be started because ${place} is not there or may not be used (${end.errorCode}), ${consequence}. The provider has to install the command where its workers run, or correct temporal.config.ts.`,
      )
    }
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
