import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { tiedToThisProcess } from '../../src/temporal/embedded-process.ts'
import '../servers/provided-context.ts'
import { eventually } from './holdpoint-under-test.ts'

const run = promisify(execFile)

/** Holdpoint as it is installed: built from these sources, beside a `temporal.config.ts`. */
export interface InstalledHoldpoint {
  /** Starts `holdpoint <role>` with nothing in its environment but these variables. */
  start(args: readonly string[], variables: Record<string, string>): Promise<HoldpointProcess>
  /** Writes a file beside `temporal.config.ts`. */
  write(name: string, text: string): Promise<void>
  /** Deletes everything. End the processes first. */
  remove(): Promise<void>
}

export interface HoldpointProcess {
  /** Resolves with where the server listens, once it does. */
  readonly listening: () => Promise<string>
  /** Resolves once this event was logged. */
  readonly logged: (event: string) => Promise<void>
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => void
  /** The exit code, null after a signal. */
  readonly exited: Promise<number | null>
  /** All that was written to the standard error. */
  readonly output: () => string
  /** All that was written to the standard output. */
  readonly printed: () => string
}

export async function installHoldpoint(configuration: string): Promise<InstalledHoldpoint> {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-installed-'))
  await cp(inject('compiledHoldpoint'), directory, { recursive: true, verbatimSymlinks: true })
  await writeFile(join(directory, 'temporal.config.ts'), configuration)
  await run(process.execPath, [join(directory, 'dist/scripts/bundle-workflows.js')])
  return {
    async start(args, variables) {
      const entry = join(directory, 'dist/src/cli/main.js')
      // A process that outlives its test run would keep its port and its task queue.
      const { command, args: all } = await tiedToThisProcess(process.execPath, [entry, ...args])
      const child = spawn(command, all, {
        cwd: directory,
        env: { PATH: process.env['PATH'], ...variables },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return observe(child)
    },
    write: (name, text) => writeFile(join(directory, name), text),
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

function observe(child: ChildProcess): HoldpointProcess {
  let [output, printed] = ['', '']
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const find = (event: string) =>
    eventually(() => {
      const line = output.split('\n').find((text) => text.includes(`"event":"${event}"`))
      if (line !== undefined) return JSON.parse(line) as Record<string, unknown>
      throw new Error(`It did not log ${event}, but:\n${output}`)
    }, 60_000)
  return {
    listening: async () => String((await find('server.listening'))['url']),
    logged: async (event) => void (await find(event)),
    kill: (signal) => void child.kill(signal),
    exited,
    output: () => output,
    printed: () => printed,
  }
}
