import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Hono } from 'hono'
import { httpCallbackRoutes, httpDriversOf } from '../../../src/drivers/http/callback-route.ts'
import type { HttpDriver } from '../../../src/drivers/http/driver.ts'
import { jsonLog } from '../../../src/log.ts'
import { createApp } from '../../../src/server/app.ts'
import { listen } from '../../../src/server/listen.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import {
  closeConnections,
  embeddedServerUrl,
  keepConnections,
  newBranch,
  newSource,
  remainsOf,
} from '../postgres-under-test.ts'
import { driverFor } from './http-under-test.ts'
import { postCallback, type PostgresProvider, startPostgresProvider } from './postgres-provider.ts'

const WRONG_SECRET = 'some-other-secret-of-a-stranger-0123'

let drivers: HttpDriver[]
let publicUrl: string
let callbackUrl: string

beforeAll(() => keepConnections(embeddedServerUrl()))
afterAll(() => closeConnections())

beforeEach(async () => {
  drivers = []
  const app = new Hono().all('/drivers/http/callback', async (c) => {
    const route = new Hono().route('/drivers/http/callback', httpCallbackRoutes(drivers))
    return await route.fetch(c.req.raw)
  })
  const listener = await listen(app, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => listener.close())
  publicUrl = listener.url
  callbackUrl = `${publicUrl}/drivers/http/callback`
})

async function startProvider(
  settings: Parameters<typeof startPostgresProvider>[1],
): Promise<{ provider: PostgresProvider; driver: HttpDriver }> {
  const provider = await startPostgresProvider(embeddedServerUrl(), { patienceMs: 0, ...settings })
  const driver = driverFor(provider.url, { publicUrl })
  drivers.push(driver)
  onTestFinished(async () => {
    await driver.close()
    await provider.close()
  })
  return { provider, driver }
}

function looksAt(provider: PostgresProvider, name: string): number {
  return provider.requests.filter((request) => request === `GET /branches/${name}`).length
}

describe('a creation that is told to look again in a minute', { timeout: 40_000 }, () => {
  test('ends when the provider calls back', async () => {
    const { provider, driver } = await startProvider({ retryAfter: '60' })
    const source = await newSource(embeddedServerUrl())
    const ref = newBranch(embeddedServerUrl(), source)
    await driver.createBranch({ source, ref }, driverCall())
    expect(looksAt(provider, ref.name)).toBe(2)
    expect(await remainsOf(embeddedServerUrl(), ref.name)).toContain('database')
  })

  test('looks once more for a callback that comes too early, and believes what it sees', async () => {
    const { provider, driver } = await startProvider({ retryAfter: '60', callsBack: false })
    const source = await newSource(embeddedServerUrl())
    const ref = newBranch(embeddedServerUrl(), source)
    const creation = driver.createBranch({ source, ref }, driverCall())
    let done = false
    const noted = creation.finally(() => (done = true))
    // Until the work is done each of these finds it undone, and the creation waits on.
    while (!done) expect((await postCallback(callbackUrl, ref.name)).status).toBe(202)
    await noted
    expect(looksAt(provider, ref.name)).toBeGreaterThanOrEqual(2)
    expect(await remainsOf(embeddedServerUrl(), ref.name)).toContain('database')
  })

  test('is not woken by a callback for another branch, or of a stranger', async () => {
    const { provider, driver } = await startProvider({ retryAfter: '60', callsBack: false })
    const source = await newSource(embeddedServerUrl())
    const ref = newBranch(embeddedServerUrl(), source)
    const stop = new AbortController()
    const creation = driver.createBranch({ source, ref }, driverCall({ signal: stop.signal }))
    const outcome = creation.catch((error: unknown) => error)
    await vi.waitFor(() => expect(provider.requests).toContain(`PUT /branches/${ref.name}`), 10_000)
    expect((await postCallback(callbackUrl, 'hp_other')).status).toBe(202)
    expect((await postCallback(callbackUrl, ref.name, WRONG_SECRET)).status).toBe(401)
    // A look that it caused would have come before this list.
    await driver.listBranches(driverCall())
    expect(looksAt(provider, ref.name)).toBe(1)
    const reason = new Error('the test is over')
    stop.abort(reason)
    expect(await outcome).toBe(reason)
    await vi.waitFor(async () => {
      const branches = await driver.listBranches(driverCall())
      expect(branches.find((branch) => branch.ref.name === ref.name)?.complete).toBe(true)
    }, 20_000)
  })
})

test('a creation whose callback is lost ends all the same', async () => {
  const { driver } = await startProvider({ retryAfter: '0', callsBack: false })
  const source = await newSource(embeddedServerUrl())
  const ref = newBranch(embeddedServerUrl(), source)
  await driver.createBranch({ source, ref }, driverCall())
  expect(await remainsOf(embeddedServerUrl(), ref.name)).toContain('database')
})

describe('a callback is answered', () => {
  beforeEach(async () => {
    await startProvider({})
  })

  test('202 for a branch that nobody waits for, the second time too', async () => {
    for (let times = 0; times < 2; times += 1) {
      const response = await postCallback(callbackUrl, 'hp_unknown')
      expect(response.status).toBe(202)
      expect(await response.json()).toEqual({ status: 'accepted' })
    }
  })

  test('401 without a signature, and with one of another secret', async () => {
    const unsigned = await fetch(callbackUrl, { method: 'POST', body: '{"branch":"hp_x"}' })
    expect(unsigned.status).toBe(401)
    expect(await unsigned.json()).toMatchObject({ error: { code: 'invalid_signature' } })
    expect((await postCallback(callbackUrl, 'hp_x', WRONG_SECRET)).status).toBe(401)
  })

  test('413 when it is larger than any callback needs', async () => {
    const response = await postCallback(callbackUrl, 'x'.repeat(5000))
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { code: 'body_too_large' } })
  })
})

test('a signed callback that names no branch is invalid', async () => {
  const { driver } = await startProvider({})
  const response = await postCallback(callbackUrl, undefined as unknown as string)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_callback' } })
  expect(driver.receiveCallback({ headers: {}, body: '{}' })).toBe('ignored')
})

test('a driver without a public URL takes no callback', async () => {
  const { provider } = await startProvider({})
  const unreachable = driverFor(provider.url)
  onTestFinished(() => unreachable.close())
  drivers.splice(0, drivers.length, unreachable)
  expect((await postCallback(callbackUrl, 'hp_x')).status).toBe(401)
})

test('Holdpoint’s server has the route where an action has such a driver', async () => {
  const { driver } = await startProvider({})
  const settings = {
    secrets: ['secret'],
    accept: () => Promise.resolve('accepted' as const),
    unready: () => Promise.resolve(undefined),
    log: jsonLog(() => {}),
  }
  const httpDrivers = httpDriversOf([undefined, driver, driver])
  expect(httpDrivers).toEqual([driver])
  const statusOf = async (app: Hono) => {
    const request = new Request(callbackUrl, { method: 'POST', body: '{}' })
    return (await app.fetch(request)).status
  }
  expect(await statusOf(createApp({ ...settings, httpDrivers }))).toBe(401)
  expect(await statusOf(createApp(settings))).toBe(404)
})
