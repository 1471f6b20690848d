import { mkdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type {
  SearchAttributeKey,
  SearchAttributeType,
} from '@temporalio/common/lib/search-attributes.js'
import { takeTurn } from './embedded-lock.ts'
import { freePort } from './embedded-ports.ts'
import {
  commandLineOf,
  type EmbeddedProcess,
  isAlive,
  startEmbeddedProcess,
} from './embedded-process.ts'
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
  /** Registered in the namespace; those that are already there stay as they are. */
  readonly searchAttributes?: readonly SearchAttributeKey<SearchAttributeType>[] | undefined
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

interface Home {
  readonly database: string
  /** Stands beside a database whose first server has not come up yet. */
  readonly unfinished: string
  readonly record: string
  readonly lock: string
}

/** A server as the next process finds it. */
interface ServerRecord {
  readonly pid: number
  readonly ip: string
  readonly port: number
  readonly uiPort: number
}

function homeIn(directory: string): Home {
  return {
    database: join(directory, 'temporal.db'),
    unfinished: join(directory, 'temporal.db.unfinished'),
    record: join(directory, 'temporal.json'),
    lock: join(directory, 'temporal.lock'),
  }
}

async function joinRunning(request: DevServerRequest, home: Home): Promise<DevServer | undefined> {
  const record = await readRecord(home)
  if (!record || !(await commandLineOf(record.pid))?.includes(home.database)) return undefined
  request.onProgress?.(
    `Using the Temporal server that process ${record.pid} runs for this directory.`,
  )
  const isRunning = () => isAlive(record.pid)
  await untilItServes(record, request, { isRunning, limitMs: START_LIMIT_MS })
  const watch = setInterval(() => {
    if (isRunning()) return
    clearInterval(watch)
    request.onExit?.('ended, and belonged to another process')
  }, 1_000)
  watch.unref()
  return { ...described(record, request), owned: false, stop: async () => clearInterval(watch) }
}

async function launch(request: DevServerRequest, home: Home | undefined): Promise<DevServer> {
  if (home) await beginDatabase(home)
  let preferred = home && ((await readRecord(home)) ?? WELL_KNOWN_PORTS)
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launchOn(await choosePorts(request, preferred), request, home)
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

type Ports = Pick<ServerRecord, 'ip' | 'port' | 'uiPort'>

const WELL_KNOWN_PORTS = { port: 7233, uiPort: 8233 }

async function choosePorts(
  request: DevServerRequest,
  preferred: Pick<Ports, 'port' | 'uiPort'> | undefined,
): Promise<Ports> {
  const ip = request.ip ?? '127.0.0.1'
  const port = request.port ?? (await freePort(ip, preferred?.port))
  const uiPort = request.uiPort ?? (await freePort(ip, preferred?.uiPort))
  return { ip, port, uiPort }
}

async function launchOn(
  ports: Ports,
  request: DevServerRequest,
  home: Home | undefined,
): Promise<DevServer> {
  request.onProgress?.(
    `Starting the Temporal server on ${ports.ip}:${ports.port}, its Web UI on port ${ports.uiPort}.`,
  )
  const server = await startEmbeddedProcess({
    command: request.cliPath,
    args: serverArguments(ports, request, home),
    logFile: request.logFile,
  })
  const record = { pid: server.pid, ...ports }
  if (home) await writeFile(home.record, JSON.stringify(record))
  try {
    const isRunning = () => isAlive(server.pid)
    await untilItServes(record, request, { isRunning, limitMs: START_LIMIT_MS })
  } catch (error) {
    const itself = !isAlive(server.pid)
    await server.stop({ killAfterMs: 0 })
    throw itself ? new Error(`it ${await server.exited}`, { cause: error }) : error
  }
  if (home) await rm(home.unfinished, { force: true })
  return { ...described(record, request), owned: true, stop: reportExit(server, request) }
}

function reportExit(server: EmbeddedProcess, request: DevServerRequest): () => Promise<void> {
  let stopping = false
  void server.exited.then((detail) => {
    if (!stopping) request.onExit?.(detail)
  })
  return () => {
    stopping = true
    // There is nothing to finish for a server that takes all it knows with it.
    return server.stop(request.directory === undefined ? { killAfterMs: 0 } : {})
  }
}

// The schema of a new database is not made in one transaction, so one whose server died meanwhile is of no use.
async function beginDatabase(home: Home): Promise<void> {
  const exists = (file: string) =>
    stat(file).then(
      () => true,
      () => false,
    )
  if (await exists(home.unfinished)) {
    for (const end of ['', '-wal', '-shm', '-journal']) {
      await rm(home.database + end, { force: true })
    }
  }
  if (!(await exists(home.database))) await writeFile(home.unfinished, '')
}

function serverArguments(ports: Ports, request: DevServerRequest, home: Home | undefined) {
  const { namespace = 'default', codecEndpoint } = request
  return [
    'server',
    'start-dev',
    '--log-level=warn',
    `--namespace=${namespace}`,
    `--ip=${ports.ip}`,
    `--port=${ports.port}`,
    `--ui-port=${ports.uiPort}`,
    ...DYNAMIC_CONFIG.map((value) => `--dynamic-config-value=${value}`),
    ...(home ? [`--db-filename=${home.database}`, ...DURABILITY] : []),
    ...(codecEndpoint ? [`--ui-codec-endpoint=${codecEndpoint}`] : []),
  ]
}

const DYNAMIC_CONFIG = [
  // The server has one shard, and polls each queue of it at most 20 times a second by default: 50 ms a hop.
  'history.transferProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  // By default any timer, a retry's too, fires up to a second late.
  'history.timerProcessorMaxTimeShift="10ms"',
  'system.enableActivityEagerExecution=true',
  // It would ask a host on the internet for news.
  'frontend.enableServerVersionCheck=false',
]

// An acknowledged webhook must survive a power cut; the log makes that cost one sync instead of four.
const DURABILITY = ['--sqlite-pragma=journal_mode=wal', '--sqlite-pragma=synchronous=full']

function described({ pid, ip, port, uiPort }: ServerRecord, { namespace }: DevServerRequest) {
  return {
    address: `${ip}:${port}`,
    uiUrl: `http://${ip}:${uiPort}`,
    namespace: namespace ?? 'default',
    pid,
  }
}

async function readRecord(home: Home): Promise<ServerRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(home.record, 'utf8'))
    return isRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is ServerRecord {
  if (typeof value !== 'object' || value === null) return false
  const { pid, ip, port, uiPort } = value as Record<string, unknown>
  return typeof ip === 'string' && [pid, port, uiPort].every(Number.isInteger)
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

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines
    .slice(-8)
    .map((line) => `    ${line}`)
    .join('\n')
}
