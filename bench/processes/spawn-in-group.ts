import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { tiedToThisProcess } from '../../src/temporal/embedded-process.ts'

/** A program of a system that is measured, in a process group of its own. */
export interface GroupProcess {
  readonly pid: number
  /** Returns when `GET url` answers 200. Throws the end of the log when the program has ended or 60 s are over. */
  readonly untilReady: (url: string) => Promise<void>
  /** SIGTERM, and after 15 s SIGKILL to the whole group. Returns when the program is gone; a second call only waits. */
  readonly stop: () => Promise<void>
}

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 15_000

/** Starts a program that also ends when this process does, however that happens. It gets no variables but these. */
export async function spawnInGroup(program: {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
}): Promise<GroupProcess> {
  const tied = await tiedToThisProcess(program.command, program.args)
  const log = openSync(program.logFile, 'w')
  const child = spawn(tied.command, tied.args, {
    cwd: program.cwd,
    env: { PATH: process.env['PATH'], ...program.env },
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  const pid = child.pid ?? 0
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null

  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal)
    } catch {
      // Nobody of the group is left.
    }
  }
  let stopping: Promise<void> | undefined
  const stop = async () => {
    child.kill('SIGTERM')
    const kill = setTimeout(signalGroup, STOP_WITHIN_MS, 'SIGKILL')
    await exited
    clearTimeout(kill)
    // What it may have left of its own.
    signalGroup('SIGKILL')
  }

  return {
    pid,
    async untilReady(url) {
      const until = Date.now() + READY_WITHIN_MS
      for (;;) {
        const status = await fetch(url).then(
          async (response) => {
            await response.body?.cancel()
            return response.status
          },
          () => 0,
        )
        if (status === 200) return
        if (hasEnded() || Date.now() > until) throw await notReady(url, program.logFile)
        await sleep(20)
      }
    },
    stop: () => (stopping ??= stop()),
  }
}

async function notReady(url: string, logFile: string): Promise<Error> {
  const log = await readFile(logFile, 'utf8').catch(() => '')
  const lastLines = log.trim().split('\n').slice(-8).join('\n')
  return new Error(
    `${url} never answered 200, so the system cannot be measured. Its log ended with:\n${lastLines}`,
  )
}
