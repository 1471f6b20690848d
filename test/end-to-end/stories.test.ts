import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { branchRef } from '../../src/domain/branch-ref.ts'
import { connect, hold, onDatabase, sql } from '../drivers/postgres-under-test.ts'
import { eventually, type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

let holdpoint: HoldpointUnderTest

beforeAll(async () => {
  holdpoint = await startHoldpoint()
})
afterEach(() => holdpoint.resetVercel())
afterAll(() => holdpoint.close())

const productsIn = (url: string) => sql(url, 'SELECT id, name FROM products ORDER BY id')
const THREE_PRODUCTS = [
  { id: 1, name: 'anvil' },
  { id: 2, name: 'rope' },
  { id: 3, name: 'paint' },
]

/** What Vercel took of the deployment's only action, in order. */
const taken = (id: string) => holdpoint.vercel.deployment(id).actions[0]?.acceptedStatuses

describe('the DATABASE_URL of a released build', () => {
  test('logs in to a copy of the source that the build owns, and the source stays as it was', async () => {
    const { id, env } = await holdpoint.release()
    const url = env['DATABASE_URL'] ?? ''
    expect(await productsIn(url)).toEqual(THREE_PRODUCTS)
    await sql(url, 'ALTER TABLE products ADD COLUMN price integer')
    await sql(url, 'CREATE SCHEMA audit')
    await sql(url, "INSERT INTO products VALUES (4, 'tar', 5)")
    expect(await productsIn(holdpoint.source.url)).toEqual(THREE_PRODUCTS)
    expect(await holdpoint.ended({ id })).toEqual({
      type: 'deploymentAction',
      status: 'COMPLETED',
      phase: 'succeeded',
    })
    expect(taken(id)).toEqual(['running', 'succeeded'])
  })

  test("opens neither the source, nor another deployment's branch, nor anything as its administrator", async () => {
    const [one, other] = await Promise.all([holdpoint.release(), holdpoint.release()])
    const url = one.env['DATABASE_URL'] ?? ''
    expect(other.env['DATABASE_URL']).not.toBe(url)
    for (const database of [holdpoint.source.name, branchRef(holdpoint.keyOf(other)).name])
      await expect(connect(onDatabase(url, database))).rejects.toMatchObject({ code: '42501' })
    await expect(sql(url, 'CREATE ROLE intruder')).rejects.toMatchObject({ code: '42501' })
    await expect(sql(url, 'CREATE DATABASE intruder')).rejects.toMatchObject({ code: '42501' })
  })
})

describe('a deployment that is taken back leaves no database and no role', () => {
  test('canceled while its branch is being copied', async () => {
    const leave = await holdpoint.occupySource()
    const deployment = holdpoint.deploy()
    await holdpoint.untilBegun(deployment)
    holdpoint.vercel.cancel(deployment.id)
    expect(await holdpoint.ended(deployment, { after: 'cancel' })).toEqual({
      type: 'deploymentAction',
      status: 'CANCELLED',
      phase: 'canceled',
    })
    await leave()
    expect(await holdpoint.left(deployment)).toEqual([])
    expect(taken(deployment.id)).toEqual(['running'])
  })

  test('canceled while its outcome is on the way to Vercel', async () => {
    const { failNext } = holdpoint.vercel.dials
    failNext.push({ match: { kind: 'patch', status: 'succeeded' }, answer: 'no-answer' })
    const deployment = holdpoint.deploy()
    await eventually(() => expect(failNext).toEqual([]))
    expect(await holdpoint.left(deployment)).toEqual(['database', 'role'])
    holdpoint.vercel.cancel(deployment.id)
    expect(await holdpoint.ended(deployment, { after: 'cancel' })).toMatchObject({
      phase: 'canceled',
    })
    expect(await holdpoint.left(deployment)).toEqual([])
  })

  test('canceled after its release', async () => {
    const deployment = await holdpoint.release()
    await holdpoint.ended(deployment)
    holdpoint.vercel.cancel(deployment.id)
    expect(await holdpoint.ended(deployment, { after: 'cancel' })).toEqual({
      type: 'compensation',
      status: 'COMPLETED',
      phase: 'canceled',
    })
    expect(await holdpoint.left(deployment)).toEqual([])
  })

  test('removed after its release, with sessions of it still open', async () => {
    const deployment = await holdpoint.release()
    await holdpoint.ended(deployment)
    await hold(deployment.env['DATABASE_URL'] ?? '')
    expect(await holdpoint.left(deployment)).toContain('session')
    holdpoint.vercel.remove(deployment.id)
    expect(await holdpoint.ended(deployment, { after: 'cleanup' })).toEqual({
      type: 'compensation',
      status: 'COMPLETED',
      phase: 'cleaned',
    })
    expect(await holdpoint.left(deployment)).toEqual([])
    await expect(connect(deployment.env['DATABASE_URL'] ?? '')).rejects.toThrow()
  })
})

test('two actions of one deployment work side by side, and the build gets the variables of both', async () => {
  const project = holdpoint.createProject(['branch', 'env'])
  const deployment = await holdpoint.release(project)
  expect(deployment.env).toMatchObject({
    DATABASE_URL: expect.stringMatching(/^postgresql:/),
    FEATURE_FLAGS: 'preview',
  })
  expect(await productsIn(deployment.env['DATABASE_URL'] ?? '')).toEqual(THREE_PRODUCTS)
  for (const action of ['branch', 'env'])
    expect(await holdpoint.ended(deployment, { action })).toMatchObject({ phase: 'succeeded' })
  for (const { terminalBodies } of deployment.actions) expect(terminalBodies).toBe(1)
})

describe('webhooks come in any order and number', () => {
  test('a start that is delivered many times makes one branch and one report', async () => {
    holdpoint.vercel.dials.duplicateWebhooks = 'new-id'
    const deployment = await holdpoint.release()
    const again = holdpoint.vercel.actionEvent('start', deployment.id)
    const answers = await Promise.all([1, 2, 3].map(() => holdpoint.vercel.sendWebhook(again)))
    expect(answers.map(({ status, body }) => [status, JSON.parse(body)])).toEqual(
      answers.map(() => [200, { status: 'duplicate' }]),
    )
    await holdpoint.ended(deployment)
    expect((await holdpoint.vercel.sendWebhook(again)).status).toBe(200)
    expect(taken(deployment.id)).toEqual(['running', 'succeeded'])
    expect(await productsIn(deployment.env['DATABASE_URL'] ?? '')).toEqual(THREE_PRODUCTS)
  })

  test.each(['cancel', 'cleanup'] as const)(
    'a start that comes after its %s makes nothing',
    async (kind) => {
      holdpoint.vercel.dials.holdWebhooks = ['deployment.integration.action.start']
      const deployment = holdpoint.deploy()
      if (kind === 'cancel') holdpoint.vercel.cancel(deployment.id)
      else holdpoint.vercel.remove(deployment.id)
      await holdpoint.ended(deployment, { after: kind })
      await holdpoint.vercel.releaseWebhooks()
      expect(await holdpoint.ended(deployment)).toMatchObject({
        type: 'compensation',
        status: 'COMPLETED',
      })
      expect(taken(deployment.id)).toEqual([])
      expect(await holdpoint.left(deployment)).toEqual([])
    },
  )

  test('a cleanup, a cancel and a start, the last first and each twice, make nothing', async () => {
    holdpoint.vercel.dials.duplicateWebhooks = 'same-id'
    holdpoint.vercel.dials.holdWebhooks = ['start', 'cancel', 'cleanup'].map(
      (kind) => `deployment.integration.action.${kind}`,
    )
    const deployment = holdpoint.deploy()
    holdpoint.vercel.cancel(deployment.id)
    holdpoint.vercel.remove(deployment.id)
    await holdpoint.vercel.releaseWebhooks({ order: 'reversed' })
    expect(await holdpoint.ended(deployment)).toMatchObject({ type: 'compensation' })
    expect(await holdpoint.left(deployment)).toEqual([])
    expect(taken(deployment.id)).toEqual([])
  })

  test('a cancel and a start at the same moment leave nothing, whichever is first', async () => {
    holdpoint.vercel.dials.dropWebhooks = ['start', 'cancel'].map(
      (kind) => `deployment.integration.action.${kind}`,
    )
    const deployments = [1, 2, 3, 4].map(() => holdpoint.deploy())
    for (const { id } of deployments) holdpoint.vercel.cancel(id)
    const send = (kind: 'start' | 'cancel', id: string) =>
      holdpoint.vercel.sendWebhook(holdpoint.vercel.actionEvent(kind, id))
    await Promise.all(
      deployments.flatMap(({ id }, index) =>
        index % 2 === 0
          ? [send('start', id), send('cancel', id)]
          : [send('cancel', id), send('start', id)],
      ),
    )
    for (const deployment of deployments) {
      const { phase } = await holdpoint.ended(deployment, { after: 'cancel' })
      expect(['canceled', 'skipped']).toContain(phase)
      expect(await holdpoint.left(deployment)).toEqual([])
      expect(taken(deployment.id)).not.toContain('succeeded')
    }
  })
})

test('a deployment whose source is missing fails with a text that names it, and leaves nothing', async () => {
  const project = holdpoint.createProject(['branch'], 'no such shop')
  const deployment = holdpoint.deploy(project)
  expect(await holdpoint.ended(deployment)).toEqual({
    type: 'deploymentAction',
    status: 'FAILED',
    phase: 'failed',
  })
  expect(holdpoint.vercel.deployment(deployment.id)).toMatchObject({
    readyState: 'ERROR',
    actions: [{ status: 'failed', statusText: expect.stringContaining('no such shop') }],
  })
  expect(await holdpoint.left(deployment)).toEqual([])
})

test('a client secret that is rotated between a lost answer and its retry leaves the build the password it got', async () => {
  const { vercel } = holdpoint
  const succeeded = { kind: 'patch', status: 'succeeded' } as const
  vercel.dials.failNext.push(
    { match: succeeded, answer: 'cut-after' },
    { match: succeeded, answer: { status: 503 }, times: 99 },
  )
  const deployment = holdpoint.deploy(holdpoint.createProject(['branch']))
  await eventually(() => expect(vercel.dials.failNext[0]?.times).toBeLessThan(99))
  await holdpoint.restart({ INTEGRATION_CLIENT_SECRET: `a-new-secret,${vercel.clientSecret}` })
  vercel.dials.failNext.length = 0
  expect(await holdpoint.ended(deployment)).toMatchObject({ phase: 'succeeded' })
  const { env, actions } = await vercel.until(
    deployment.id,
    ({ readyState }) => readyState === 'READY',
  )
  expect(actions[0]).toMatchObject({ status: 'succeeded', terminalBodies: 1 })
  expect(await productsIn(env['DATABASE_URL'] ?? '')).toEqual(THREE_PRODUCTS)
})
