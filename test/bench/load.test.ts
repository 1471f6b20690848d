import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startAction, type Target } from '../../bench/load/action.ts'
import { atRate, closedLoop, oneAtATime } from '../../bench/load/loads.ts'
import { webhookSender } from '../../bench/load/webhook-sender.ts'
import { type FakeVercel, startFakeVercel } from '../../bench/vercel/fake-vercel.ts'
import { getDeployment } from '../../src/vercel/deployments.ts'
import { updateActionStatus } from '../../src/vercel/action-status.ts'
import { parseSignature, verifySignature } from '../../src/webhook/verify-signature.ts'

const SECRET = 'secret-of-the-test'
const key = {
  installationId: 'icfg_1',
  resourceId: 'store',
  deploymentId: 'dpl_1',
  action: 'env',
}

let vercel: FakeVercel
let provider: ServerType
let target: Target
/** How the provider takes a webhook: its status, and what it does afterwards. */
let take: (deploymentId: string) => { status: 200 | 503; work?: () => Promise<void> }

beforeEach(async () => {
  vercel = await startFakeVercel()
  const app = new Hono().post('/', async (c) => {
    const body = Buffer.from(await c.req.arrayBuffer())
    const signature = parseSignature(c.req.header('x-vercel-signature'))
    expect(signature && verifySignature(body, signature, [SECRET])).toBe(true)
    const event = JSON.parse(body.toString()) as { payload: { deployment: { id: string } } }
    const { status, work } = take(event.payload.deployment.id)
    setImmediate(() => void work?.())
    return c.body(null, status)
  })
  provider = await new Promise<ServerType>((resolve) => {
    const starting = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () =>
      resolve(starting),
    )
  })
  const { port } = provider.address() as AddressInfo
  target = { vercel, sender: webhookSender(`http://127.0.0.1:${port}/`, SECRET), action: 'env' }
})

afterEach(async () => {
  target.sender.close()
  await Promise.all([vercel.close(), new Promise((resolve) => provider.close(resolve))])
})

const connection = () => ({
  baseUrl: vercel.url,
  accessToken: () => Promise.resolve('token'),
  timeoutMs: 5000,
})

const succeed = (deploymentId: string) =>
  updateActionStatus(
    connection(),
    { ...key, deploymentId },
    { kind: 'succeeded', outcome: { secrets: [] } },
  )

test('any deployment stands as waiting, in a shape that Holdpoint reads', async () => {
  expect(await getDeployment(connection(), key)).toMatchObject({
    id: 'dpl_1',
    standing: 'waiting',
    environment: 'preview',
    gitBranch: 'feature',
  })
})

test('every answer is held back as long as the dial says', async () => {
  vercel.latencyMs = 20
  const begin = performance.now()
  await succeed('dpl_1')
  expect(performance.now() - begin).toBeGreaterThanOrEqual(19)
})

test('updates over the limit of one installation are refused with the time to wait, those of another taken', async () => {
  vercel.updateLimit = { total: 2, windowMs: 60_000 }
  await succeed('dpl_1')
  await succeed('dpl_2')
  const refused = await succeed('dpl_3').catch((error: unknown) => error)
  expect(refused).toMatchObject({ status: 429, code: 'rate_limited' })
  expect((refused as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(50_000)
  await updateActionStatus(
    connection(),
    { ...key, installationId: 'icfg_2' },
    { kind: 'succeeded', outcome: { secrets: [] } },
  )
  expect(vercel.calls).toEqual({ total: 4, refused: 1 })
})

test('the overhead lasts until Vercel accepts the end, and the acknowledgement only until the 2xx', async () => {
  let workedMs = 0
  take = (id) => ({
    status: 200,
    work: async () => {
      const begin = performance.now()
      await sleep(5)
      workedMs = performance.now() - begin
      await succeed(id)
    },
  })
  const [measured] = await oneAtATime(target, { count: 1, limitMs: 10_000 })
  expect(measured?.overheadMs).toBeGreaterThanOrEqual(workedMs)
  expect(measured?.ackMs).toBeLessThan(measured?.overheadMs ?? 0)
})

test('a constant rate does not wait for the system', async () => {
  const taken: string[] = []
  let releaseAll: () => void = () => {}
  const released = new Promise<void>((resolve) => (releaseAll = resolve))
  take = (id) => {
    // The first ends only when the last has come.
    if (taken.push(id) === 10) releaseAll()
    return { status: 200, work: () => released.then(() => succeed(id)) }
  }
  const measured = await atRate(target, { perSecond: 100, count: 10, drainMs: 10_000 })
  expect(measured).toHaveLength(10)
})

test('a system that does not finish in time is found out', async () => {
  take = () => ({ status: 200 })
  await expect(atRate(target, { perSecond: 100, count: 2, drainMs: 20 })).rejects.toThrow('in vain')
})

test('a closed loop has no more in flight than asked for', async () => {
  let [inFlight, most] = [0, 0]
  take = (id) => {
    inFlight += 1
    most = Math.max(most, inFlight)
    const work = async () => {
      await sleep(5)
      inFlight -= 1
      await succeed(id)
    }
    return { status: 200, work }
  }
  const measured = await closedLoop(target, { concurrency: 3, count: 20, limitMs: 10_000 })
  expect([measured.length, most]).toEqual([20, 3])
})

test('an action that Vercel was told has failed is no measurement', async () => {
  take = (id) => ({
    status: 200,
    work: () =>
      updateActionStatus(
        connection(),
        { ...key, deploymentId: id },
        { kind: 'failed', reason: 'no' },
      ),
  })
  const { measured, ended } = startAction(target)
  await expect(measured).rejects.toThrow('ended as failed')
  expect((await ended).status).toBe('failed')
})

test('a webhook without a 2xx is an error, unless it is to be delivered again', async () => {
  let deliveries = 0
  take = (id) => {
    deliveries += 1
    return deliveries % 2 === 1 ? { status: 503 } : { status: 200, work: () => succeed(id) }
  }
  await expect(startAction(target).acked).rejects.toThrow('answered 503')
  deliveries = 0
  await startAction({ ...target, redeliver: true }).measured
  expect(deliveries).toBe(2)
})
