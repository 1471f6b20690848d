import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  checkReadiness,
  httpProbe,
  type Probe,
  sqlProbe,
} from '../../src/actions/check-readiness.ts'
import { Secret } from '../../src/domain/secret.ts'
import { deadUrl, smallServer } from '../vercel/small-server.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { actionCall } from './action-call.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

const check = (probe: Probe, intervalMs = 5) => checkReadiness({ name: 'Ready', probe, intervalMs })
const postgresUrl = ownPostgresUrl()

/** A TCP port that takes connections and never says a word, and the connections it has. */
async function silentPort(): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket
      .on('close', () => sockets.delete(socket))
      .on('error', () => {})
      .resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

describe('the build is held until the resource answers', () => {
  test('and each try before is told as progress', async () => {
    let tries = 0
    const { call, told } = actionCall()
    await check(() => Promise.resolve(++tries < 3 ? 'It is asleep.' : undefined)).provision?.(call)
    expect(told).toEqual(['Not ready yet (1): It is asleep.', 'Not ready yet (2): It is asleep.'])
  })

  test('what a probe throws counts as not ready, and none of its text is told', async () => {
    let tries = 0
    const { call, told } = actionCall()
    const probe = () =>
      ++tries < 3
        ? Promise.reject(new Error('login as postgres://me:hunter2@db failed'))
        : Promise.resolve(undefined)
    await check(probe).provision?.(call)
    expect(told).toHaveLength(2)
    expect(told.join()).not.toContain('hunter2')
  })

  test('which changes nothing: there is nothing to undo and no secret', () => {
    expect(check(httpProbe('http://x'))).not.toHaveProperty('deprovision')
    expect(check(httpProbe('http://x'))).not.toHaveProperty('outcome')
  })
})

describe('an abort ends the wait at once', () => {
  test('between two tries', async () => {
    const { call, told, abort } = actionCall()
    const held = check(() => Promise.resolve('Not yet.'), 60_000).provision?.(call)
    await expect.poll(() => told.length).toBe(1)
    abort()
    await expect(held).rejects.toThrow()
  })

  test.each([
    ['HTTP', (port: number) => httpProbe(`http://127.0.0.1:${port}`, { timeoutMs: 60_000 })],
    [
      'Postgres',
      (port: number) => sqlProbe(() => `postgres://me@127.0.0.1:${port}`, { timeoutMs: 60_000 }),
    ],
  ])('within a try over %s that nobody answers', { timeout: 3000 }, async (_, probe) => {
    const { port, sockets } = await silentPort()
    const { call, abort } = actionCall()
    const held = check(probe(port)).provision?.(call)
    await expect.poll(() => sockets.size).toBe(1)
    abort()
    await expect(held).rejects.toThrow('aborted')
  })

  test('within a query that takes long', { timeout: 3000 }, async () => {
    const { call, abort } = actionCall()
    const probe = sqlProbe(() => postgresUrl, { query: 'select pg_sleep(60)', timeoutMs: 60_000 })
    const held = check(probe).provision?.(call)
    const sleepers = () =>
      sql(postgresUrl, "SELECT FROM pg_stat_activity WHERE query = 'select pg_sleep(60)'")
    await expect.poll(async () => (await sleepers()).length).toBe(1)
    abort()
    await expect(held).rejects.toThrow('aborted')
  })
})

describe('over HTTP', () => {
  const probed = async (probe: Probe) => probe(actionCall().call)

  test('a resource is ready with any 2xx, and otherwise its status is told', async () => {
    for (const [status, told] of [
      [200, undefined],
      [204, undefined],
      [302, 'The resource answered 302.'],
      [503, 'The resource answered 503.'],
    ] as const) {
      const { url } = await smallServer((response) =>
        response.writeHead(status, { location: '/' }).end(),
      )
      expect(await probed(httpProbe(url))).toBe(told)
    }
  })

  test('the URL may be made of the resource’s id, encoded', async () => {
    const { url, received } = await smallServer()
    expect(await probed(httpProbe((resourceId) => `${url}/health/${resourceId}`))).toBeUndefined()
    expect(received.map(({ target }) => target)).toEqual(['/health/db%2042'])
  })

  test('a try takes no longer than it may', async () => {
    const { port } = await silentPort()
    await expect(probed(httpProbe(`http://127.0.0.1:${port}`, { timeoutMs: 30 }))).rejects.toThrow()
    await expect(probed(httpProbe(await deadUrl()))).rejects.toThrow()
  })
})

describe('over Postgres', () => {
  const probed = async (probe: Probe) => probe(actionCall().call)

  test('a resource is ready once the query succeeds', async () => {
    expect(await probed(sqlProbe(() => postgresUrl))).toBeUndefined()
    expect(await probed(sqlProbe(() => new Secret(postgresUrl)))).toBeUndefined()
    const query = 'select * from nowhere'
    await expect(probed(sqlProbe(() => postgresUrl, { query }))).rejects.toThrow('nowhere')
  })

  test('the URL is asked for by the resource’s id', async () => {
    const asked: string[] = []
    await probed(
      sqlProbe((resourceId) => {
        asked.push(resourceId)
        return postgresUrl
      }),
    )
    expect(asked).toEqual(['db 42'])
  })

  test('a try takes no longer than it may', async () => {
    const { port } = await silentPort()
    await expect(
      probed(sqlProbe(() => `postgres://me@127.0.0.1:${port}`, { timeoutMs: 30 })),
    ).rejects.toThrow()
    const query = 'select pg_sleep(60)'
    await expect(probed(sqlProbe(() => postgresUrl, { query, timeoutMs: 50 }))).rejects.toThrow()
  })
})
