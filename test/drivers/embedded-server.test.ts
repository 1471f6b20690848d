import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/drivers/postgres/embedded-server.ts'
import { isAlive } from '../../src/drivers/postgres/postmaster.ts'
import { sql } from './postgres-under-test.ts'

let directory: string
const progress: string[] = []
const onProgress = (text: string) => void progress.push(text)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdpoint-embedded-'))
  await chmod(directory, 0o755)
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

test('keeps data, password and port from one run to the next, and says when it is slow', async () => {
  const first = await started()
  expect(progress.join()).toContain(`creating the embedded Postgres in ${directory}`)
  expect(first.started).toBe(true)
  await sql(first.url, 'CREATE TABLE kept (line text)')
  await first.stop()
  await first.stop()
  expect(isAlive(first.pid)).toBe(false)

  progress.length = 0
  const second = await started()
  expect(second.url).toBe(first.url)
  expect(await sql(second.url, 'SELECT * FROM kept')).toEqual([])
  expect(progress).toEqual([])
  await second.stop()
})

test('keeps its password from other users of the machine', async () => {
  const server = await started()
  const { mode } = await stat(join(server.directory, 'server.json'))
  expect(mode & 0o077).toBe(0)
  const log = await readFile(join(server.directory, 'server.log'), 'utf8')
  expect(log).not.toContain(new URL(server.url).password)
  const stranger = new URL(server.url)
  stranger.password = 'guessed'
  await expect(sql(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  await server.stop()
})

test('is shared by all who ask for the same directory, and stays when a second one stops', async () => {
  const first = await started()
  const second = await started()
  expect({ ...second, stop: null, started: null }).toEqual({ ...first, stop: null, started: null })
  const other = await startProcess()
  expect(other.server).toEqual({ url: first.url, pid: first.pid, started: false })
  await second.stop()
  other.process.kill('SIGKILL')
  await once(other.process, 'exit')
  expect(await sql(first.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }])
  await first.stop()
})

test('is started once when several ask at the same moment, even for a new directory', async () => {
  const fresh = join(directory, 'fresh')
  const servers = await Promise.all([started(fresh), started(fresh)])
  const other = await startProcess(fresh)
  expect(new Set([...servers, other.server].map(({ url }) => url)).size).toBe(1)
  expect([...servers, other.server].filter((server) => server.started)).toHaveLength(1)
  for (const server of servers) await server.stop()
  other.process.kill()
})

test.runIf(process.platform === 'linux')(
  'ends when its process is killed, and starts again with its data',
  async () => {
    const killed = await startProcess()
    await sql(killed.server.url, 'CREATE TABLE after_kill (line text)')
    killed.process.kill('SIGKILL')
    await vi.waitFor(() => expect(isAlive(killed.server.pid)).toBe(false))
    const next = await started()
    expect(next.started).toBe(true)
    expect(next.pid).not.toBe(killed.server.pid)
    expect(await sql(next.url, 'SELECT * FROM after_kill')).toEqual([])
    await next.stop()
  },
)

test('starts although a crash left a pid file whose number another program has now', async () => {
  const first = await started()
  await first.stop()
  const other = spawn('sleep', ['60'])
  onTestFinished(() => void other.kill())
  const file = join(first.directory, 'data', 'postmaster.pid')
  await writeFile(file, `${other.pid}\n${first.directory}/data\n0\n${first.port}\n\n\n\nready\n`)
  const second = await started()
  expect(second.started).toBe(true)
  expect([other.exitCode, other.signalCode]).toEqual([null, null])
  await second.stop()
})

test('takes another port when its own is taken, unless it was asked for just that one', async () => {
  const first = await started()
  await first.stop()
  const thief = createServer().listen(first.port, '127.0.0.1')
  onTestFinished(() => void thief.close())
  await once(thief, 'listening')
  await expect(startEmbeddedPostgres({ directory, port: first.port, onProgress })).rejects.toThrow(
    /could not be started: .*Without .*Set POSTGRES_URL/s,
  )
  const second = await started()
  expect(second.port).not.toBe(first.port)
  await second.stop()
})

test('an ephemeral one leaves no file, wherever it had to put them', async () => {
  const closed = join(directory, 'closed')
  await mkdir(closed, { mode: 0o700 })
  progress.length = 0
  const server = await startEmbeddedPostgres({ directory: closed, ephemeral: true, onProgress })
  expect(await sql(server.url, 'SHOW fsync')).toEqual([{ fsync: 'off' }])
  if (!server.directory.startsWith(closed)) expect(progress.join()).toContain('its files are in')
  await server.stop()
  await expect(stat(server.directory)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('tells when it ends although nobody stopped it', async () => {
  const onExit = vi.fn<(detail: string) => void>()
  const server = await startEmbeddedPostgres({ directory, onProgress, onExit })
  process.kill(server.pid, 'SIGQUIT')
  await vi.waitFor(() => expect(onExit).toHaveBeenCalledExactlyOnceWith(expect.any(String)))
  const again = await started()
  await again.stop()
})

test('a directory that cannot be used is told with a way out', async () => {
  await writeFile(join(directory, 'file'), '')
  await expect(started(join(directory, 'file'))).rejects.toThrow(
    /could not be started: .*Without .*Set POSTGRES_URL/s,
  )
})

async function started(where = directory): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory: where, onProgress })
  onTestFinished(() => server.stop())
  return server
}

const Told = z.object({ url: z.string(), pid: z.number(), started: z.boolean() })

async function startProcess(
  where = directory,
): Promise<{ process: ChildProcess; server: z.infer<typeof Told> }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'embedded-server-process.ts'), where],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line]: unknown[] = await once(child.stdout.setEncoding('utf8'), 'data')
  return { process: child, server: Told.parse(JSON.parse(String(line))) }
}
