import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import '../servers/provided-context.ts'

export interface CommandEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Where commands of one test file run: a directory with a configuration, and nothing of this machine's settings. */
export async function commandLine(configuration: string) {
  const compiled = join(inject('compiledHoldpoint'), 'dist/src')
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-cli-'))
  const imports = [
    `import * as holdpoint from ${JSON.stringify(join(compiled, 'index.js'))}`,
    `import { z } from ${JSON.stringify(fileURLToPath(import.meta.resolve('zod')))}`,
  ]
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  await writeFile(join(directory, 'temporal.config.ts'), [...imports, configuration].join('\n'))
  return {
    /** Runs `holdpoint` with these arguments, and with these variables besides PATH and HOME. */
    run: (args: readonly string[], variables: Record<string, string> = {}) =>
      new Promise<CommandEnd>((resolve, reject) => {
        const child = spawn(process.execPath, [join(compiled, 'cli/main.js'), ...args], {
          cwd: directory,
          env: { PATH: process.env['PATH'], HOME: directory, ...variables },
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        let stdout = ''
        let stderr = ''
        child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
        child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
        child.on('error', reject)
        child.on('close', (code) => resolve({ code, stdout, stderr }))
      }),
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
