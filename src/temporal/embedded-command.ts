import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { tiedToThisProcess } from './embedded-process.ts'

/**
 * Runs a program to its end and hands over each line it prints. Rejects when it cannot be started, exits with
 * another code than 0 (the message ends with its last lines), or `signal` aborts, which kills it. Should this
 * process be killed, the program is too.
 */
export async function runCommand(request: {
  command: string
  args: readonly string[]
  /** Set on top of what this process has. */
  environment?: Readonly<Record<string, string>>
  onLine?: (line: string) => void
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { command, args } = await tiedToThisProcess(request.command, request.args)
  const child = spawn(command, args, {
    env: { ...process.env, ...request.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(request.signal && { signal: request.signal }),
  })
  const lastLines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lastLines.push(line)
      if (lastLines.length > 5) lastLines.shift()
      request.onLine?.(line)
    })
  }
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve()
      const end = signal ? `was ended by ${signal}` : `exited with code ${code}`
      reject(new Error([end, ...lastLines].join('\n')))
    })
  })
}

/** Finds a program as a shell would, in a list of directories like `PATH`; undefined when there is none. */
export async function findOnPath(name: string, searchPath: string): Promise<string | undefined> {
  const names = process.platform === 'win32' ? [`${name}.exe`] : [name]
  for (const directory of searchPath.split(delimiter).filter(Boolean)) {
    for (const file of names.map((candidate) => join(directory, candidate))) {
      if (await isProgram(file)) return file
    }
  }
  return undefined
}

/** Answers whether the file may be run as a program. */
export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}
