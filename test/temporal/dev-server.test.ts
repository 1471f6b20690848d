import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import {
  type DevServer,
  type DevServerRequest,
  startDevServer,
} from '../../src/temporal/dev-server.ts'
import { isRunning } from '../../src/temporal/embedded-process.ts'
import '../servers/provided-context.ts'

const cliPath = inject('cliPath')

let directory: string
let started: DevServer[]
let hosts: ChildProcess[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdpoint-dev-server-'))
  started = []
  hosts = []
})

afterEach(async () => {
  for (const host of hosts) host.kill('SIGKILL')
  // Quicker than a stop, which the tests that are about it have called.
  for (const { pid } of started.filter(({ owned }) => owned)) {
    if (await isRunning(pid)) process.kill(pid, 'SIGKILL')
    await untilGone(pid)
  }
  await rm(directory, { recursive: true, force: true })
})

describe('a directory', () => {
  test('open workflows survive a restart, on the same ports', async () => {
    const first = await start()
    await withClient(first, (client) =>
      client.workflow.start('deploymentAction', { taskQueue: 'nobody', workflowId: 'kept' }),
    )
    await first.stop()
    const second = await start()
    expect(second.pid).not.toBe(first.pid)
    expect([second.address, second.uiUrl]).toEqual([first.address, first.uiUrl])
    const kept = await withClient(second, (client) => client.workflow.getHandle('kept').describe())
    expect(kept.status.name).toBe('RUNNING')
  })

  test('a workflow survives SIGKILL of the server right after its start was acknowledged', async () => {
    const first = await start()
    await withClient(first, (client) =>
      client.workflow.start('deploymentAction', { taskQueue: 'nobody', workflowId: 'kept' }),
    )
    process.kill(first.pid, 'SIGKILL')
    await untilGone(first.pid)
    const kept = await withClient(await start(), (client) =>
      client.workflow.getHandle('kept').describe(),
    )
    expect(kept.status.name).toBe('RUNNING')
  })

  test('the second to ask gets the server that runs, and its stop leaves it running', async () => {
    const first = await start()
    const second = await start()
    expect(second).toMatchObject({ pid: first.pid, address: first.address, owned: false })
    await second.stop()
    expect(await isRunning(first.pid)).toBe(true)
  })

  test('of several that ask at once, one runs the server and all use it', async () => {
    const servers = await Promise.all([start(), start(), start()])
    expect(new Set(servers.map((server) => server.pid)).size).toBe(1)
    expect(servers.filter((server) => server.owned)).toHaveLength(1)
  })

  test('who uses the server of another process hears when it ends', async () => {
    const host = await startInAnotherProcess()
    const onExit = vi.fn()
    const joined = await start({ onExit })
    expect(joined).toMatchObject({ pid: host.serverPid, owned: false })
    host.process.kill('SIGKILL')
    await vi.waitUntil(() => onExit.mock.calls.length > 0, { timeout: 5_000 })
    expect(onExit).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('another process'))
  })

  test('who asks while the server is being stopped waits for its end and gets a new one', async () => {
    const first = await start()
    const [, second] = await Promise.all([first.stop(), start()])
    expect(second.owned).toBe(true)
    expect(second.pid).not.toBe(first.pid)
    expect(await isRunning(first.pid)).toBe(false)
  })

  test('a lock and a database that a killed start left behind do not stop the next one', async () => {
    await writeFile(join(directory, 'temporal.lock'), '999999999')
    await writeFile(join(directory, 'temporal.db'), 'half a schema')
    await writeFile(join(directory, 'temporal.db.unfinished'), '')
    expect((await start()).owned).toBe(true)
  })

  test('remembered ports that are taken are replaced', async () => {
    const first = await start()
    await first.stop()
    const thief = createServer().listen(portOf(first.address), '127.0.0.1')
    await once(thief, 'listening')
    const second = await start()
    thief.close()
    expect(second.address).not.toBe(first.address)
  })
})

describe('the server', () => {
  test('is gone soon after the process that started it was killed', async () => {
    const host = await startInAnotherProcess()
    expect(await isRunning(host.serverPid)).toBe(true)
    host.process.kill('SIGKILL')
    await untilGone(host.serverPid)
  })

  test('takes work in its namespace as soon as it is answered', async () => {
    const server = await start({ namespace: 'ours' })
    await withClient(server, (client) =>
      client.workflow.start('deploymentAction', {
        taskQueue: 'nobody',
        workflowId: 'a',
      }),
    )
  })

  test('serves its Web UI', async () => {
    const server = await start()
    expect((await fetch(server.uiUrl)).status).toBe(200)
    // The page is served at once, what it shows once the Web UI has found the server.
    const api = `${server.uiUrl}/api/v1/namespaces/default`
    await vi.waitUntil(async () => (await fetch(api)).ok, { timeout: 10_000 })
  })

  test('leaves nothing but its log when it has no directory', async () => {
    const server = await start({ directory: undefined })
    expect(server.owned).toBe(true)
    await server.stop()
    expect(await isRunning(server.pid)).toBe(false)
    expect(await readdir(directory)).toEqual(['temporal.log'])
  })

  test('that dies by itself is reported once, and one that is stopped is not', async () => {
    const onExit = vi.fn()
    const dying = await start({ directory: undefined, onExit })
    process.kill(dying.pid, 'SIGKILL')
    await vi.waitUntil(() => onExit.mock.calls.length > 0)
    const stopped = await start({ directory: undefined, onExit })
    await stopped.stop()
    expect(onExit).toHaveBeenCalledExactlyOnceWith('was ended by SIGKILL')
  })
})

describe('errors', () => {
  test('a program that is no Temporal CLI: what happened, what it said, what to do', async () => {
    const wrong = join(directory, 'wrong-temporal')
    await writeFile(wrong, '#!/bin/sh\necho "unknown command start-dev" >&2\nexit 3\n', {
      mode: 0o755,
    })
    const message = await failure({ cliPath: wrong })
    expect(message.split('\n')).toEqual([
      'The Temporal server did not start: it exited with code 3.',
      expect.stringContaining(join(directory, 'temporal.log')),
      '    unknown command start-dev',
      expect.stringMatching(/^Mend what it says, .* TEMPORAL_ADDRESS/),
    ])
  })

  test('a given port that is taken is an error that names it, not another port', async () => {
    const thief = createServer().listen(0, '127.0.0.1')
    await once(thief, 'listening')
    const address = thief.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const message = await failure({ port })
    thief.close()
    expect(message).toContain(`can't set frontend port ${port}`)
  })

  test('after a failure the directory can be used', async () => {
    await failure({ cliPath: '/bin/false' })
    expect((await start()).owned).toBe(true)
  })
})

async function start(request: Partial<DevServerRequest> = {}): Promise<DevServer> {
  const logFile = join(directory, 'temporal.log')
  const server = await startDevServer({ cliPath, directory, logFile, ...request })
  started.push(server)
  return server
}

async function untilGone(pid: number): Promise<void> {
  await vi.waitUntil(async () => !(await isRunning(pid)), { timeout: 5_000 })
}

function failure(request: Partial<DevServerRequest>): Promise<string> {
  return start(request).then(
    () => 'started',
    (error: Error) => error.message,
  )
}

/** A process of its own that starts the server of `directory` and stays. */
async function startInAnotherProcess(): Promise<{ process: ChildProcess; serverPid: number }> {
  const host = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'dev-server-host.ts'), cliPath, directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  hosts.push(host)
  const [line] = (await once(createInterface({ input: host.stdout }), 'line')) as [string]
  return { process: host, serverPid: Number(line) }
}

async function withClient<T>(server: DevServer, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: server.address })
  try {
    return await use(new Client({ connection, namespace: server.namespace }))
  } finally {
    await connection.close()
  }
}

function portOf(address: string): number {
  return Number(address.split(':')[1])
}
