import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../src/temporal/embedded-ports.ts'
import { startEmbeddedProcess } from '../../src/temporal/embedded-process.ts'
import { untilItServes } from '../../src/temporal/embedded-readiness.ts'

const START_LIMIT_MS = 60_000

/** Runs the Temporal CLI's development server on a database file, untuned. Returns when it takes work. */
export async function startDefaultServer(request: {
  readonly cliPath: string
  readonly directory: string
  readonly logFile: string
}): Promise<{ address: string; pid: number; stop: () => Promise<void> }> {
  await mkdir(request.directory, { recursive: true })
  const ip = '127.0.0.1'
  const [port, uiPort] = [await freePort(ip), await freePort(ip)]
  const server = await startEmbeddedProcess({
    command: request.cliPath,
    args: [
      'server',
      'start-dev',
      '--log-level=warn',
      `--ip=${ip}`,
      `--port=${port}`,
      `--ui-port=${uiPort}`,
      `--db-filename=${join(request.directory, 'temporal.db')}`,
      // Nothing is tuned by it: the benchmark asks nobody on the internet.
      '--dynamic-config-value=frontend.enableServerVersionCheck=false',
    ],
    logFile: request.logFile,
  })
  try {
    const { pid } = server
    await untilItServes({ ip, port, uiPort }, 'default', { pid, limitMs: START_LIMIT_MS })
    return { address: `${ip}:${port}`, pid, stop: () => server.stop() }
  } catch (error) {
    await server.stop({ killAfterMs: 0 })
    throw error
  }
}
