import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  access,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { EmbeddedBinaries } from './embedded-binaries.ts'
import { isAlive } from './postmaster.ts'
import type { ServerUser } from './server-user.ts'

/** The files of one embedded server, and what must be known to use them again. */
export interface Cluster {
  readonly directory: string
  readonly data: string
  readonly password: string
  /** The port of the last run; to be taken again, so that a URL noted down still works. */
  readonly port: number | undefined
}

const Memory = z.object({ password: z.string(), port: z.number().optional() })

/** Opens the cluster kept in `home`, or makes one there, which takes about two seconds. */
export async function openCluster(
  home: string,
  { binaries, user, onProgress }: ClusterTools,
): Promise<Cluster> {
  const directory = join(home, 'cluster')
  const kept = await readCluster(directory)
  if (kept !== undefined) return kept
  onProgress(`creating the embedded Postgres in ${home} (about 2 s, once)`)
  await removeAbandoned(home)
  const making = await mkdtemp(join(home, `making-${process.pid}-`))
  await makeCluster(making, { binaries, user })
  // All at once, so that no other process ever sees half a cluster. One that was quicker stays.
  await rename(making, directory).catch(() => rm(making, { recursive: true, force: true }))
  const made = await readCluster(directory)
  if (made === undefined) throw new Error(`the new cluster in ${directory} cannot be read`)
  return made
}

export interface ClusterTools {
  readonly binaries: EmbeddedBinaries
  readonly user: ServerUser | undefined
  readonly onProgress: (text: string) => void
}

/** Notes the port for the next run. */
export async function rememberPort(cluster: Cluster, port: number): Promise<void> {
  if (cluster.port === port) return
  await writeMemory(cluster.directory, { password: cluster.password, port })
}

async function makeCluster(
  directory: string,
  { binaries, user }: Omit<ClusterTools, 'onProgress'>,
): Promise<void> {
  const data = join(directory, 'data')
  const passwordFile = join(directory, 'password')
  const password = randomBytes(24).toString('base64url')
  await mkdir(data)
  // Whatever the umask: Postgres insists on the second, and its user must get through the first.
  await chmod(directory, 0o755)
  await chmod(data, 0o700)
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user !== undefined) {
    await chown(data, user.uid, user.gid)
    await chown(passwordFile, user.uid, user.gid)
  }
  await runInitdb(binaries.initdb, { data, passwordFile, user })
  await rm(passwordFile)
  await writeMemory(directory, { password })
}

async function runInitdb(
  initdb: string,
  {
    data,
    passwordFile,
    user,
  }: { data: string; passwordFile: string; user: ServerUser | undefined },
): Promise<void> {
  const program = spawn(
    initdb,
    [
      `--pgdata=${data}`,
      `--pwfile=${passwordFile}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      '--no-instructions',
    ],
    { cwd: data, stdio: ['ignore', 'ignore', 'pipe'], ...asUser(user) },
  )
  let text = ''
  program.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended: unknown[] = await once(program, 'close')
  if (ended[0] !== 0) throw new Error(`initdb failed: ${text.trim().split('\n')[0] ?? ''}`)
}

function asUser(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid }
}

async function readCluster(directory: string): Promise<Cluster | undefined> {
  const file = join(directory, 'server.json')
  if (
    !(await access(directory).then(
      () => true,
      () => false,
    ))
  )
    return undefined
  const { password, port } = Memory.parse(JSON.parse(await readFile(file, 'utf8')))
  return { directory, data: join(directory, 'data'), password, port }
}

async function writeMemory(directory: string, memory: z.infer<typeof Memory>): Promise<void> {
  const file = join(directory, 'server.json')
  await writeFile(`${file}.${process.pid}`, JSON.stringify(memory), { mode: 0o600 })
  await rename(`${file}.${process.pid}`, file)
}

// Left by processes that were killed in the making.
async function removeAbandoned(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = Number(/^making-(\d+)-/.exec(name)?.[1])
    if (Number.isInteger(pid) && !isAlive(pid))
      await rm(join(home, name), { recursive: true, force: true })
  }
}
