import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A server that runs beside us and never outlives us. */
export interface EmbeddedProcess {
  readonly pid: number
  /** How it ended, as a sentence's second half: `exited with code 1`. Never rejects. */
  readonly exited: Promise<string>
  /** Ends it: SIGTERM, then SIGKILL after `killAfterMs`. Returns when it is gone; a second call only waits. */
  stop(options?: { killAfterMs?: number }): Promise<void>
}

/**
 * Starts a program that ends when this process ends, however that happens: on Linux the kernel sees to it
 * (`setpriv --pdeathsig`), elsewhere a shell that looks once a second. Its output goes to `logFile`, which is begun
 * anew. It does not get the terminal's Ctrl-C, so whoever started it can still use it while shutting down, and it
 * does not keep this process alive. Rejects when the program cannot be started at all.
 */
export async function startEmbeddedProcess(request: {
  command: string
  args: readonly string[]
  logFile: string
}): Promise<EmbeddedProcess> {
  const tied = await tiedToThisProcess(request.command, request.args)
  const log = openSync(request.logFile, 'w')
  const child = spawn(tied.command, tied.args, { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `exited with code ${code}`),
    )
  })
  const pid = await spawned(child)
  child.unref()
  if (!tied.byKernel) watchFromShell(pid)
  return { pid, exited, stop: ({ killAfterMs = 5_000 } = {}) => end(child, exited, killAfterMs) }
}

/** The command that runs another one so that it is killed when this process is; unchanged where none is known. */
export async function tiedToThisProcess(command: string, args: readonly string[]) {
  const byKernel = await (kernelTies ??= canTieByKernel())
  if (!byKernel) return { command, args, byKernel }
  return { command: 'setpriv', args: ['--pdeathsig', 'KILL', '--', command, ...args], byKernel }
}

/** Answers the command line of a running process; undefined when there is no such process. */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      // A process that has ended but was not waited for still has its entry, with nothing in it.
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ') || undefined
    }
    return (await run('ps', ['-o', 'args=', '-p', String(pid)])).stdout.trim() || undefined
  } catch {
    return undefined
  }
}

/** Answers whether a process of this id runs, ours or not. */
export async function isRunning(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return (await commandLineOf(pid)) !== undefined
  // Not by its command line, which is empty for a moment while a process becomes another program.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // `12 (name) S …`, where Z is one that has ended and was not waited for.
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0]
  return state !== undefined && !'ZX'.includes(state)
}

const run = promisify(execFile)

let kernelTies: Promise<boolean> | undefined

async function canTieByKernel(): Promise<boolean> {
  if (process.platform !== 'linux') return false
  // Asked by trying: the setpriv of small distributions lacks the option.
  return run('setpriv', ['--pdeathsig', 'KILL', '--', 'true']).then(
    () => true,
    () => false,
  )
}

function watchFromShell(pid: number): void {
  if (process.platform === 'win32') return
  const watch = `while kill -0 ${process.pid} && kill -0 ${pid}; do sleep 1; done 2>/dev/null; kill -9 ${pid} 2>/dev/null`
  spawn('sh', ['-c', watch], { detached: true, stdio: 'ignore' }).unref()
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => {
      if (child.pid !== undefined) resolve(child.pid)
    })
  })
}

async function end(child: ChildProcess, exited: Promise<string>, killAfterMs: number) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  await exited
  clearTimeout(kill)
}
