import { mkdir, readFile, realpath, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverArguments } from './embedded-arguments.ts'
import {
  beginDatabase,
  homeIn,
  readRecord,
  type ServerHome,
  type ServerPorts,
  type ServerRecord,
  writeRecord,
} from './embedded-home.ts'
import { takeTurn } from './embedded-lock.ts'
import { freePort } from './embedded-ports.ts'
import { commandLineOf, isRunning, startEmbeddedProcess } from './embedded-process.ts'
import { untilItServes } from './embedded-readiness.ts'

export interface DevServerRequest {
  /** The Temporal CLI, as `findTemporalCli` answers it. */
  readonly cliPath: string
  /** Where the database file lives, with the ports to take again next time. Unset: all in memory, gone with the server. */
  readonly directory?: string | undefined
  /** Gets the server's output; begun anew at each start. */
  readonly logFile: string
  /** Made when missing; `default` unless told otherwise. */
  readonly namespace?: string | undefined
  /** The address to listen on; 127.0.0.1 unless told otherwise. */
  readonly ip?: string | undefined
  /** Unset: the port of last time if it is free, else any free one. A port that is given and taken is an error. */
  readonly port?: number | undefined
  /** The Web UI's port; chosen like `port`. */
  readonly uiPort?: number | undefined
  /** Where the Web UI has payloads decoded. */
  readonly codecEndpoint?: string | undefined
  readonly onProgress?: ((line: string) => void) | undefined
  /** Called once when the server ends without `stop` being called; `detail` is the second half of a sentence. */
  readonly onExit?: ((detail: string) => void) | undefined
}

export interface DevServer {
  readonly address: string
  readonly uiUrl: string
  readonly namespace: string
  readonly pid: number
  /** False when another process runs the server, and this one only uses it. */
  readonly owned: boolean
  /** Ends the server and returns when it is gone. Does nothing when another process runs it, or the second time. */
  stop(): Promise<void>
}

/**
 * Runs a Temporal server for development, tuned so that a single workflow is quick, and returns when it takes work.
 * With a `directory`, what it acknowledged survives a crash of the machine. It never outlives this process.
 *
 * A `directory` has one server at most: when another process runs it already, that one is answered, whatever ports
 * were asked for. Throws an error with the last lines of the log when the server does not come up.
 */
export async function startDevServer(request: DevServerRequest): Promise<DevServer> {
  await mkdir(dirname(request.logFile), { recursive: true })
  if (request.directory === undefined) return launch(request, undefined)
  await mkdir(request.directory, { recursive: true })
  // Processes that name one directory differently must still agree on the name of its database.
  const home = homeIn(await realpath(request.directory))
  const nextTurn = await takeTurn(home.lock, START_LIMIT_MS * (PORT_ATTEMPTS + 1))
  try {
    return (await joinRunning(request, home)) ?? (await launch(request, home))
  } finally {
    await nextTurn()
  }
}

const START_LIMIT_MS = 60_000
const PORT_ATTEMPTS = 3

/** Answers undefined when no server runs, or the one that did has ended meanwhile. */
async function joinRunning(
  request: DevServerRequest,
  home: ServerHome,
): Promise<DevServer | undefined> {
  const record = await readRecord(home)
  if (!record || !(await commandLineOf(record.pid))?.includes(home.database)) return undefined
  if (record.stopping) {
    while (await isRunning(record.pid)) await sleep(50)
    return undefined
  }
  request.onProgress?.(
    `Using the Temporal server that process ${record.pid} runs for this directory.`,
  )
  try {
    await untilItServes(record, request.namespace ?? 'default', {
      pid: record.pid,
      limitMs: START_LIMIT_MS,
    })
  } catch (error) {
    if (await isRunning(record.pid)) throw doesNotAnswer(error, record, home)
    return undefined
  }
  await rm(home.unfinished, { force: true })
  const stop = watchExit(record.pid, () =>
    request.onExit?.('ended, and belonged to another process'),
  )
  return { ...described(record, request), owned: false, stop }
}

function watchExit(pid: number, onExit: () => void): () => Promise<void> {
  const look = async () => {
    if (await isRunning(pid)) return
    clearInterval(watch)
    onExit()
  }
  const watch = setInterval(() => void look(), 1_000)
  watch.unref()
  return async () => clearInterval(watch)
}

async function launch(request: DevServerRequest, home: ServerHome | undefined): Promise<DevServer> {
  if (home) await beginDatabase(home)
  let preferred = home && ((await readRecord(home)) ?? WELL_KNOWN_PORTS)
  for (let attempt = 1; ; attempt += 1) {
    const ports = await choosePorts(request, preferred)
    try {
      return await launchOn(ports, request, home)
    } catch (error) {
      const log = await lastLines(request.logFile)
      // Any other program may take a port between our look at it and the server's.
      if (attempt === PORT_ATTEMPTS || !log.includes('address already in use')) {
        throw didNotStart(error, request, log)
      }
      preferred = undefined
    }
  }
}

const WELL_KNOWN_PORTS = { port: 7233, uiPort: 8233 }

async function choosePorts(
  request: DevServerRequest,
  preferred: Pick<ServerPorts, 'port' | 'uiPort'> | undefined,
): Promise<ServerPorts> {
  const ip = request.ip ?? '127.0.0.1'
  const port = request.port ?? (await freePort(ip, preferred?.port))
  const uiPort = request.uiPort ?? (await freePort(ip, preferred?.uiPort))
  return { ip, port, uiPort }
}

async function launchOn(
  ports: ServerPorts,
  request: DevServerRequest,
  home: ServerHome | undefined,
): Promise<DevServer> {
  request.onProgress?.(
    `Starting the Temporal server on ${ports.ip}:${ports.port}, its Web UI on port ${ports.uiPort}.`,
  )
  const server = await startEmbeddedProcess({
    command: request.cliPath,
    args: serverArguments(ports, { ...request, databaseFile: home?.database }),
    logFile: request.logFile,
  })
  const record = { pid: server.pid, ...ports }
  const remember = async (stopping: boolean) => {
    if (home) await writeRecord(home, { ...record, stopping })
  }
  await remember(false)
  try {
    await untilItServes(record, request.namespace ?? 'default', {
      pid: server.pid,
      limitMs: START_LIMIT_MS,
    })
  } catch (error) {
    const byItself = !(await isRunning(server.pid))
    await server.stop({ killAfterMs: 0 })
    throw byItself ? new Error(`it ${await server.exited}`, { cause: error }) : error
  }
  if (home) await rm(home.unfinished, { force: true })
  let stopped: Promise<void> | undefined
  const end = async () => {
    // From now on the next process waits for the end instead of using this server.
    await remember(true)
    // There is nothing to finish for a server that takes all it knows with it.
    await server.stop(home ? {} : { killAfterMs: 0 })
  }
  void server.exited.then((detail) => {
    if (!stopped) request.onExit?.(detail)
  })
  return { ...described(record, request), owned: true, stop: () => (stopped ??= end()) }
}

function described({ pid, ip, port, uiPort }: ServerRecord, { namespace }: DevServerRequest) {
  return {
    address: `${ip}:${port}`,
    uiUrl: `http://${ip}:${uiPort}`,
    namespace: namespace ?? 'default',
    pid,
  }
}

function didNotStart(error: unknown, request: DevServerRequest, log: string): Error {
  const reason = error instanceof Error ? error.message : String(error)
  return new Error(
    [
      `The Temporal server did not start: ${reason}.`,
      log
        ? `Without it no action can be taken on. It said last (all of it is in ${request.logFile}):`
        : `Without it no action can be taken on. It said nothing (${request.logFile} is empty).`,
      ...(log ? [log] : []),
      `Mend what it says, check that ${request.cliPath} is a Temporal CLI, or set TEMPORAL_ADDRESS to a running Temporal server.`,
    ].join('\n'),
    { cause: error },
  )
}

function doesNotAnswer(error: unknown, { pid }: ServerRecord, home: ServerHome): Error {
  const reason = error instanceof Error ? error.message : String(error)
  return new Error(
    `The Temporal server of ${home.database} runs as process ${pid} and does not answer: ${reason}. A second server on the same database would ruin it, so none is started. End process ${pid} and try again.`,
    { cause: error },
  )
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines
    .slice(-8)
    .map((line) => `    ${line}`)
    .join('\n')
}
