import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { answers, freePort } from '../../src/temporal/embedded-ports.ts'
import { isRunning, startEmbeddedProcess } from '../../src/temporal/embedded-process.ts'
import { type Command, findTestServer, type FindTestServerRequest } from './find-test-server.ts'

export interface TimeSkippingServer {
  readonly address: string
  stop(): Promise<void>
}

/** Starts Temporal's time-skipping test server, finding or fetching it first; returns when it answers. */
export async function startTimeSkippingServer(
  request: FindTestServerRequest & { logFile: string },
): Promise<TimeSkippingServer> {
  const { command, args }: Command = await findTestServer(request)
  const ip = '127.0.0.1'
  const port = await freePort(ip)
  const server = await startEmbeddedProcess({
    command,
    // Not with --enable-time-skipping: time would then leap whenever nothing happens, not only when a test waits.
    args: [...args, String(port)],
    logFile: request.logFile,
  })
  const deadline = Date.now() + 30_000
  while (!(await answers(ip, port))) {
    if (Date.now() < deadline && (await isRunning(server.pid))) await sleep(25)
    else throw new Error(`The time-skipping server did not start: ${await log(request.logFile)}`)
  }
  return { address: `${ip}:${port}`, stop: () => server.stop({ killAfterMs: 0 }) }
}

async function log(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).split('\n').slice(-10).join('\n')
}
