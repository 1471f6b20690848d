import type { ChildProcess } from 'node:child_process'
import { mkdir, rm, rmdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, openCluster, rememberPort } from './cluster.ts'
import { locateBinaries } from './embedded-binaries.ts'
import {
  endPostmaster,
  findPostmaster,
  hasStarter,
  isAlive,
  lastWords,
  type Postmaster,
  spawnPostmaster,
  waitUntilReady,
} from './postmaster.ts'
import { privatePlace } from './private-place.ts'
import { canReach, chooseServerUser, type ServerUser } from './server-user.ts'

export interface EmbeddedPostgresOptions {
  /** Where data, password and port are kept between runs. */
  readonly directory: string
  /** Default: the port of the last run if it is free, else any free one. */
  readonly port?: number | undefined
  /** For tests: faster, not safe against a crash of the machine, and all data is deleted by `stop`. */
  readonly ephemeral?: boolean | undefined
  /** Hears what takes its time, one line each. */
  readonly onProgress: (text: string) => void
  /** Hears when the server ends although nobody stopped it. */
  readonly onExit?: ((detail: string) => void) | undefined
}

export interface EmbeddedPostgres {
  /** The superuser's connection URL, password included. */
  readonly url: string
  readonly port: number
  /** The server's main process. */
  readonly pid: number
  /** Where its files are: not in the asked directory when root had to find another place. */
  readonly directory: string
  /** False when the server was started by another process, which then also ends it. */
  readonly started: boolean
  /** Ends the server if this process started it. A second call does nothing. */
  stop(): Promise<void>
}

/**
 * Starts a Postgres of our own on loopback, for development and tests only. The same directory always means the same
 * server: a second one who asks gets the one that runs. It ends with this process, even with one that is killed.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  try {
    const user = await chooseServerUser()
    const home = await chooseHome(options, user)
    const binaries = await locateBinaries(user, options.onProgress)
    const cluster = await openCluster(home, { binaries, user, onProgress: options.onProgress })
    return await joinOrStart(cluster, { program: binaries.postgres, user }, options)
  } catch (error) {
    throw new Error(
      `The embedded Postgres could not be started: ${messageOf(error)}. Without a Postgres server Holdpoint cannot make branch databases. Set POSTGRES_URL to a server of your own, or mend this and try again.`,
      { cause: error },
    )
  }
}

const ATTEMPTS = 5
const ORPHAN_WAIT_MS = 3_000

// Another process may start or end the same server at any moment, and the port may be taken between the look and the
// start: then look again.
async function joinOrStart(
  cluster: Cluster,
  start: { program: string; user: ServerUser | undefined },
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  for (let attempt = 1; ; attempt++) {
    const running = await findRunning(cluster)
    if (running !== undefined) return running
    const port = options.port ?? (await choosePort(cluster.port))
    const server = await spawnPostmaster(cluster, {
      ...start,
      port,
      ephemeral: options.ephemeral ?? false,
    })
    const hasEnded = () => server.exitCode !== null || server.signalCode !== null
    const ready = await waitUntilReady(cluster, hasEnded).catch(async (error: unknown) => {
      await endPostmaster(server.pid ?? 0, hasEnded)
      throw error
    })
    if (ready !== undefined && ready.pid === server.pid) {
      await rememberPort(cluster, port)
      return ownServer(cluster, { server, ready, hasEnded }, options)
    }
    if (ready === undefined && attempt === ATTEMPTS) throw new Error(await lastWords(cluster))
  }
}

async function findRunning(cluster: Cluster): Promise<EmbeddedPostgres | undefined> {
  const found = await findPostmaster(cluster)
  if (found === undefined) return undefined
  if (await hasStarter(cluster, found)) {
    const ready = await waitUntilReady(cluster, () => !isAlive(found.pid))
    return ready && { ...describe(cluster, ready), started: false, stop: async () => {} }
  }
  // Who started it is gone: it is about to end, or cannot notice (without setpriv) and is ours from now on.
  const deadline = performance.now() + ORPHAN_WAIT_MS
  while (isAlive(found.pid) && performance.now() < deadline) await sleep(20)
  if (isAlive(found.pid)) await endPostmaster(found.pid)
  return undefined
}

function ownServer(
  cluster: Cluster,
  { server, ready, hasEnded }: { server: ChildProcess; ready: Postmaster; hasEnded: () => boolean },
  options: EmbeddedPostgresOptions,
): EmbeddedPostgres {
  const killAtExit = () => server.kill('SIGQUIT')
  process.once('exit', killAtExit)
  let stopping: Promise<void> | undefined
  server.once('exit', (code, signal) => {
    process.removeListener('exit', killAtExit)
    if (stopping === undefined)
      options.onExit?.(`ended by itself (${signal ?? code}); see ${cluster.directory}/server.log`)
  })
  const stop = async () => {
    await endPostmaster(ready.pid, hasEnded)
    if (options.ephemeral === true) await forget(cluster, options)
  }
  return { ...describe(cluster, ready), started: true, stop: () => (stopping ??= stop()) }
}

async function forget(cluster: Cluster, options: EmbeddedPostgresOptions): Promise<void> {
  await rm(cluster.directory, { recursive: true, force: true })
  const home = dirname(cluster.directory)
  if (home !== resolve(options.directory)) await rmdir(home).catch(() => {})
}

function describe(
  cluster: Cluster,
  { pid, port }: Postmaster,
): Pick<EmbeddedPostgres, 'url' | 'port' | 'pid' | 'directory'> {
  const url = `postgresql://postgres:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/postgres`
  return { url, port, pid, directory: cluster.directory }
}

async function chooseHome(
  { directory, ephemeral = false, onProgress }: EmbeddedPostgresOptions,
  user: ServerUser | undefined,
): Promise<string> {
  const asked = resolve(directory)
  await mkdir(asked, { recursive: true })
  if (await canReach(asked, user)) return asked
  const other = await privatePlace(`cluster ${asked}`, { untilReboot: ephemeral })
  onProgress(
    `the embedded Postgres runs as ${user?.name ?? 'another user'}, who cannot enter ${asked}; its files are in ${other}`,
  )
  return other
}

async function choosePort(remembered: number | undefined): Promise<number> {
  const free = remembered === undefined ? undefined : await takePort(remembered)
  const port = free ?? (await takePort(0))
  if (port === undefined) throw new Error('there is no free port on 127.0.0.1')
  return port
}

/** The port, if it is free just now; for 0 one that is. */
async function takePort(port: number): Promise<number | undefined> {
  return await new Promise((found) => {
    const probe = createServer()
    probe.once('error', () => found(undefined))
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      const taken = typeof address === 'object' && address !== null ? address.port : undefined
      probe.close(() => found(taken))
    })
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
