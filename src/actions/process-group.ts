import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProgramRequest {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string | undefined
  readonly env: Readonly<Record<string, string>>
  /** Ends the program with all that it started: asked first (SIGTERM), then for certain. */
  readonly signal: AbortSignal
  /** How long those have who were asked, in milliseconds. */
  readonly killAfterMs: number
  /** Gets the output as it comes, of both channels. */
  readonly onOutput: (text: string) => void
}

export type ProgramEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly errorCode: string }

const KILLED_WITHIN_MS = 2_000
const LAST_OUTPUT_WITHIN_MS = 500

/**
 * Runs a program in a process group of its own, without a shell. When this returns nothing of the group works on,
 * also where the program left something in the background. Throws the signal's reason before it starts anything.
 */
export async function runInGroup(request: ProgramRequest): Promise<ProgramEnd> {
  const { signal, killAfterMs, onOutput } = request
  signal.throwIfAborted()
  const program = start(request)
  if (typeof program === 'string') return { kind: 'not-started', errorCode: program }
  const end = endOf(program)
  const { pid } = program
  if (pid === undefined) return await end
  const channels = [program.stdout, program.stderr]
  for (const channel of channels) channel.setEncoding('utf8').on('data', onOutput)
  const closed = once(program, 'close')
  let stop = () => {}
  const stopped = new Promise<void>((resolve) => {
    stop = () => {
      signalGroup(pid, 'SIGTERM')
      resolve()
    }
  })
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([end, stopped])
    if (signal.aborted) await isEmptyWithin(pid, killAfterMs)
    else await Promise.race([closed, sleep(LAST_OUTPUT_WITHIN_MS)])
    if (signalGroup(pid, 'SIGKILL')) await isEmptyWithin(pid, KILLED_WITHIN_MS)
    return await end
  } finally {
    signal.removeEventListener('abort', stop)
    // Whoever left the group may still hold a channel open.
    for (const channel of channels) channel.destroy()
  }
}

type Program = ChildProcessByStdio<null, Readable, Readable>

/** The program, or the code of the error that kept it from starting. */
function start({ file, args, cwd, env }: ProgramRequest): Program | string {
  try {
    return spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  }
}

function endOf(program: Program): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    program.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'not-started', errorCode: error.code ?? 'unknown' }),
    )
    program.once('exit', (code, signal) =>
      resolve(
        code === null ? { kind: 'killed', signal: signal ?? 'unknown' } : { kind: 'exited', code },
      ),
    )
  })
}

async function isEmptyWithin(pid: number, ms: number): Promise<boolean> {
  const giveUpAt = performance.now() + ms
  while (signalGroup(pid, 0)) {
    if (performance.now() >= giveUpAt) return false
    await sleep(20)
  }
  return true
}

/** Answers whether anybody is there to hear it. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}
