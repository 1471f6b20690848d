import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { open, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Cluster } from './cluster.ts'
import type { ServerUser } from './server-user.ts'

/** The main process of a running server, as its data directory tells. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

/** Whether a process of this id runs, whoever owns it; not so one that has ended but was not reaped yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !isZombie(pid)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

/**
 * The server that runs on this cluster, if one does. A pid file left by a crash is removed when its process is gone
 * or has become another program, which Postgres itself could not tell.
 */
export async function findPostmaster(cluster: Cluster): Promise<Postmaster | undefined> {
  const file = join(cluster.data, 'postmaster.pid')
  const text = await readFile(file, 'utf8').catch(() => '')
  // One line each: pid, data directory, start time, port, socket directory, address, shared memory, status.
  const [pidLine, , , portLine, , , , status] = text.split('\n')
  const pid = Number(pidLine)
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  if (!isAlive(pid) || !(await isServerOf(pid, cluster))) {
    await rm(file, { force: true })
    return undefined
  }
  return { pid, port: Number(portLine), ready: status?.trim() === 'ready' }
}

// A server works in its data directory, which Linux tells. Elsewhere a name must do.
async function isServerOf(pid: number, cluster: Cluster): Promise<boolean> {
  if (process.platform === 'win32') return true
  if (process.platform === 'linux') {
    const place = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
    return place === (await realpath(cluster.data))
  }
  const program = await promisify(execFile)('ps', ['-o', 'comm=', '-p', String(pid)]).catch(
    () => undefined,
  )
  return program?.stdout.includes('postgres') === true
}

export interface ServerStart {
  readonly program: string
  readonly user: ServerUser | undefined
  readonly port: number
  /** Trades safety against a crash of the machine for speed. */
  readonly ephemeral: boolean
}

/**
 * Starts the server. It ends when this process does, however that ends (where setpriv is to be had; else when this
 * process ends in an orderly way), and does not keep it from ending.
 */
export async function spawnPostmaster(cluster: Cluster, start: ServerStart): Promise<ChildProcess> {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    ...(start.ephemeral ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : []),
  ]
  const command = [
    start.program,
    `-D${cluster.data}`,
    `-p${start.port}`,
    ...settings.flatMap((setting) => ['-c', setting]),
  ]
  const [program = '', ...parameters] = [...(await deathSignal(start.user)), ...command]
  await forgetStarters(cluster)
  const log = await open(join(cluster.directory, 'server.log'), 'a', 0o600)
  try {
    if ((await log.stat()).size > LONGEST_LOG_BYTES) await log.truncate()
    const server = spawn(program, parameters, {
      cwd: cluster.data,
      stdio: ['ignore', log.fd, log.fd],
      // A group of its own: Ctrl-C is for us, who end the server when we have used it for the last time.
      detached: true,
      ...(start.user === undefined || program === 'setpriv'
        ? {}
        : { uid: start.user.uid, gid: start.user.gid }),
    })
    server.unref()
    server.on('error', () => {})
    if (server.pid === undefined) throw new Error(`${program} cannot be run`)
    startedHere.add(server.pid)
    // At once: whoever finds the server also finds who started it.
    writeFileSync(starterFile(cluster, server.pid), String(process.pid))
    return server
  } finally {
    await log.close()
  }
}

const LONGEST_LOG_BYTES = 10_000_000

// Linux can send a signal to a process when its parent is gone, even by SIGKILL; setpriv asks for that.
async function deathSignal(user: ServerUser | undefined): Promise<string[]> {
  if (process.platform !== 'linux') return []
  const parameters = ['--pdeathsig', 'SIGQUIT']
  if (user !== undefined)
    parameters.push('--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups')
  try {
    await promisify(execFile)('setpriv', [...parameters, 'true'])
    return ['setpriv', ...parameters]
  } catch {
    return []
  }
}

/** Waits until the server of this cluster takes connections; undefined when it ends instead. */
export async function waitUntilReady(
  cluster: Cluster,
  hasEnded: () => boolean,
): Promise<Postmaster | undefined> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline) {
    const ended = hasEnded()
    const found = await findPostmaster(cluster)
    if (found?.ready === true) return found
    if (ended) return undefined
    await sleep(20)
  }
  throw new Error(`it was not ready within ${START_TIMEOUT_MS / 1_000} seconds`)
}

const START_TIMEOUT_MS = 30_000

/** Shuts the server down: its clients are cut off, its data is safe. Returns when it has ended. */
export async function endPostmaster(pid: number, hasEnded = () => !isAlive(pid)): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (hasEnded()) return
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    const deadline = performance.now() + STOP_TIMEOUT_MS
    while (!hasEnded() && performance.now() < deadline) await sleep(10)
  }
}

const STOP_TIMEOUT_MS = 5_000

const startedHere = new Set<number>()

/** Whether the process that started the running server is still there to end it. */
export async function hasStarter(cluster: Cluster, server: Postmaster): Promise<boolean> {
  if (startedHere.has(server.pid)) return true
  const pid = Number(await readFile(starterFile(cluster, server.pid), 'utf8').catch(() => ''))
  // Our own id in there is of a process before us that happened to have the same.
  return Number.isInteger(pid) && pid > 0 && pid !== process.pid && isAlive(pid)
}

// One for each server process, as several may start at once of which one prevails.
function starterFile(cluster: Cluster, serverPid: number): string {
  return join(cluster.directory, `started-${serverPid}`)
}

async function forgetStarters(cluster: Cluster): Promise<void> {
  for (const name of await readdir(cluster.directory)) {
    const pid = Number(/^started-(\d+)$/.exec(name)?.[1])
    if (Number.isInteger(pid) && !isAlive(pid)) await rm(starterFile(cluster, pid), { force: true })
  }
}

/** The end of what the server wrote, to tell why it did not start. */
export async function lastWords(cluster: Cluster): Promise<string> {
  const log = await readFile(join(cluster.directory, 'server.log'), 'utf8').catch(() => '')
  const lines = log.split('\n').filter((line) => /FATAL|PANIC|error/i.test(line))
  return (lines.at(-1) ?? log.trim().split('\n').at(-1) ?? '').slice(0, 300)
}
