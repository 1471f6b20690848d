import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { chooseServerUser } from '../../src/drivers/postgres/server-user.ts'
import { quickDirectory } from '../servers/quick-directory.ts'

/** A server of the Postgres that the Linux distribution installed, which has its client tools beside it. */
export interface InstalledServer {
  readonly url: string
  stop(): Promise<void>
}

const VERSIONS = '/usr/lib/postgresql'

/** The newest installed version's directory of programs; undefined where none has both server and client tools. */
export async function findInstalledPostgres(): Promise<string | undefined> {
  const versions = await readdir(VERSIONS).catch(() => [])
  for (const version of versions.sort((one, other) => Number(other) - Number(one))) {
    const programs = join(VERSIONS, version, 'bin')
    const names = await readdir(programs)
    if (['initdb', 'postgres', 'pg_dump', 'pg_restore'].every((name) => names.includes(name)))
      return programs
  }
  return undefined
}

/**
 * Starts a server of its own on a free port, with its data in a temporary directory. Faster than a server in earnest,
 * and not safe against a crash of the machine, unless `settings` say otherwise.
 */
export async function startInstalledPostgres(
  programs: string,
  { parent, settings = ['fsync=off'] }: { parent?: string; settings?: readonly string[] } = {},
): Promise<InstalledServer> {
  const user = await chooseServerUser()
  const identity = user === undefined ? {} : { uid: user.uid, gid: user.gid }
  const directory = await mkdtemp(join(parent ?? (await quickDirectory()), 'holdpoint-installed-'))
  const [data, passwordFile] = [join(directory, 'data'), join(directory, 'password')]
  await writeFile(passwordFile, 'of the tests')
  if (user !== undefined) await chown(directory, user.uid, user.gid)

  const initdb = spawn(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile, '--no-sync'],
    { ...identity, cwd: directory, stdio: 'ignore', env: { LC_ALL: 'C.UTF-8' } },
  )
  const ended: unknown[] = await once(initdb, 'exit')
  if (ended[0] !== 0) throw new Error(`${programs}/initdb failed`)
  const port = await freePort()
  const all = [...settings, 'listen_addresses=127.0.0.1', 'unix_socket_directories=']
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-p', String(port), ...all.flatMap((setting) => ['-c', setting])],
    { ...identity, cwd: directory, stdio: 'ignore' },
  )
  // A run that is broken off leaves neither a process nor its files, which take memory.
  const dropAtExit = () => {
    server.kill('SIGQUIT')
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', dropAtExit)
  const url = `postgres://postgres:of%20the%20tests@127.0.0.1:${port}/postgres`
  await untilReady(url, server)
  return {
    url,
    async stop() {
      server.kill('SIGINT')
      if (server.exitCode === null) await once(server, 'exit')
      await rm(directory, { recursive: true, force: true })
      process.removeListener('exit', dropAtExit)
    },
  }
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await sleep(30)
    }
  }
  throw new Error('the installed Postgres ended before it was ready')
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
