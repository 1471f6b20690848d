import { WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { devServerEnvironment } from '../servers/temporal-environment.ts'
import { eventually, type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

let holdpoint: HoldpointUnderTest

beforeAll(async () => {
  holdpoint = await startHoldpoint({ undeclared: ['seed'], deadline: '5 seconds' })
})
afterEach(() => holdpoint.resetVercel())
afterAll(() => holdpoint.close())

/** What Vercel took of the deployment's only action, in order. */
const taken = (id: string) => holdpoint.vercel.deployment(id).actions[0]?.acceptedStatuses
/** What Vercel answered to reports of this status, in order. */
const answersTo = (id: string, status: string) =>
  holdpoint.vercel.records.flatMap((event) =>
    event.kind === 'request' &&
    event.method === 'PATCH' &&
    event.deploymentId === id &&
    (event.body as { status?: string }).status === status
      ? [event.status]
      : [],
  )
/** A signed start that nobody has sent yet, and whether it started anything. */
function unsentStart() {
  holdpoint.vercel.dials.dropWebhooks = ['deployment.integration.action.start']
  const deployment = holdpoint.deploy()
  return {
    ...holdpoint.vercel.actionEvent('start', deployment.id),
    hasStarted: async () => {
      const { workflow } = holdpoint.temporal.client
      const run = workflow.getHandle(actionWorkflowId(holdpoint.keyOf(deployment))).describe()
      return run.then(
        () => true,
        (error: unknown) => !(error instanceof WorkflowNotFoundError),
      )
    },
  }
}

describe('at the door', () => {
  test.each([
    ['a signature of other bytes', { signature: 'a'.repeat(40) }],
    ["a signature with somebody else's secret", { signedWith: 'a guess' }],
    ['no signature', { signature: null }],
  ])('%s is answered 401, and nothing is started or logged', async (_, signature) => {
    const { type, payload, hasStarted } = unsentStart()
    const note = 'written by a stranger'
    const answer = await holdpoint.vercel.sendWebhook({
      type,
      payload: { ...payload, note },
      ...signature,
    })
    expect(answer.status).toBe(401)
    expect(JSON.parse(answer.body)).toEqual({
      error: { code: 'invalid_signature', message: expect.stringContaining('x-vercel-signature') },
    })
    expect(await hasStarted()).toBe(false)
    expect(holdpoint.logLines.join('\n')).not.toContain(note)
  })

  test('a body over 1 MiB is answered 413, though it is signed; one of just 1 MiB is taken', async () => {
    const { type, payload, hasStarted } = unsentStart()
    const event = JSON.stringify({ id: 'uev_1', type, createdAt: Date.now(), payload })
    const send = (bytes: number) =>
      holdpoint.vercel.sendWebhook({ type, payload, rawBody: event.padEnd(bytes) })
    const refused = await send(1024 * 1024 + 1)
    expect(refused.status).toBe(413)
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'body_too_large' } })
    expect(await hasStarted()).toBe(false)
    expect((await send(1024 * 1024)).status).toBe(200)
    expect(await hasStarted()).toBe(true)
  })

  test('a signed start that lacks a field is answered 422, and the field is named', async () => {
    const { type, payload, hasStarted } = unsentStart()
    const { resourceId: _, ...rest } = payload
    const answer = await holdpoint.vercel.sendWebhook({ type, payload: rest })
    expect(answer.status).toBe(422)
    expect(JSON.parse(answer.body)).toEqual({
      error: { code: 'invalid_event', message: expect.stringContaining('payload.resourceId') },
    })
    expect(await hasStarted()).toBe(false)
  })

  test('a type that Holdpoint has no use for is answered 200 and ignored', async () => {
    const { payload, hasStarted } = unsentStart()
    const answer = await holdpoint.vercel.sendWebhook({ type: 'deployment.created', payload })
    expect(answer).toMatchObject({ status: 200, body: '{"status":"ignored"}' })
    expect(await hasStarted()).toBe(false)
  })
})

describe('a deployment that cannot have its branch is told so, and nothing is left', () => {
  test('as its action is not declared: the text names those that are', async () => {
    const deployment = holdpoint.deploy(holdpoint.createProject(['seed']))
    await holdpoint.ended(deployment, { action: 'seed' })
    expect(taken(deployment.id)).toEqual(['failed'])
    expect(holdpoint.vercel.deployment(deployment.id).actions[0]?.statusText).toMatch(
      /"seed".*branch, env/,
    )
    expect(await holdpoint.left(deployment)).toEqual([])
  })

  test('as its source does not exist: the text names it', async () => {
    const deployment = holdpoint.deploy(holdpoint.createProject(['branch'], 'shop/42 %'))
    await holdpoint.ended(deployment)
    expect(taken(deployment.id)).toEqual(['running', 'failed'])
    expect(holdpoint.vercel.deployment(deployment.id).actions[0]?.statusText).toContain('shop/42 %')
    expect(await holdpoint.left(deployment)).toEqual([])
  })

  test('as Vercel does not show it (404): the text names it', async () => {
    const { failNext } = holdpoint.vercel.dials
    failNext.push({ match: { kind: 'get' }, answer: { status: 404 }, times: 100 })
    const deployment = holdpoint.deploy()
    expect(await holdpoint.ended(deployment)).toMatchObject({ status: 'FAILED', phase: 'failed' })
    expect(taken(deployment.id)).toEqual(['failed'])
    expect(holdpoint.vercel.deployment(deployment.id).actions[0]?.statusText).toContain(
      deployment.id,
    )
    expect(await holdpoint.left(deployment)).toEqual([])
  })

  test('as Vercel refuses the outcome (400)', async () => {
    const { failNext } = holdpoint.vercel.dials
    failNext.push({ match: { kind: 'patch', status: 'succeeded' }, answer: { status: 400 } })
    const deployment = holdpoint.deploy()
    expect(await holdpoint.ended(deployment)).toMatchObject({ status: 'FAILED', phase: 'failed' })
    expect(answersTo(deployment.id, 'succeeded')).toEqual([400])
    expect(taken(deployment.id)).toEqual(['running', 'failed'])
    expect(holdpoint.vercel.deployment(deployment.id).actions[0]?.statusText).toContain('400')
    expect(await holdpoint.left(deployment)).toEqual([])
  })
})

describe('a report that Vercel answers 410', () => {
  test('is the end of a deployment that was canceled without a webhook: undone, and nothing more is said', async () => {
    holdpoint.vercel.dials.updateAfterEnd = 410
    holdpoint.vercel.dials.dropWebhooks = ['deployment.integration.action.cancel']
    const leave = await holdpoint.occupySource()
    const deployment = holdpoint.deploy()
    await holdpoint.untilBegun(deployment)
    holdpoint.vercel.cancel(deployment.id)
    await leave()
    expect(await holdpoint.ended(deployment)).toMatchObject({ phase: 'canceled' })
    expect(answersTo(deployment.id, 'succeeded')).toEqual([410])
    expect(answersTo(deployment.id, 'failed')).toEqual([])
    expect(await holdpoint.left(deployment)).toEqual([])
  })

  test('means nothing when the answer before it was lost and the deployment went on: its branch is kept', async () => {
    holdpoint.vercel.dials.updateAfterTerminal = 410
    holdpoint.vercel.dials.failNext.push({
      match: { kind: 'patch', status: 'succeeded' },
      answer: 'cut-after',
    })
    const deployment = await holdpoint.release()
    expect(await holdpoint.ended(deployment)).toMatchObject({
      status: 'COMPLETED',
      phase: 'succeeded',
    })
    expect(answersTo(deployment.id, 'succeeded')).toEqual([202, 410])
    expect(answersTo(deployment.id, 'failed')).toEqual([])
    expect(
      await sql(deployment.env['DATABASE_URL'] ?? '', 'SELECT count(*)::int FROM products'),
    ).toEqual([{ count: 3 }])
  })
})

describe('an access token that Vercel refuses (401)', () => {
  test('for a while holds the build for that while, and it is released', async () => {
    holdpoint.vercel.dials.failNext.push(
      { match: { kind: 'get' }, answer: { status: 401 } },
      { match: { kind: 'patch', status: 'succeeded' }, answer: { status: 401 } },
    )
    const deployment = await holdpoint.release()
    expect(answersTo(deployment.id, 'succeeded')).toEqual([401, 202])
    expect(deployment.actions[0]?.terminalBodies).toBe(1)
  })

  test('for good ends the action at its deadline with nothing left', async () => {
    holdpoint.vercel.dials.invalidToken = 401
    const leave = await holdpoint.occupySource()
    const deployment = holdpoint.deploy()
    await holdpoint.untilBegun(deployment)
    holdpoint.vercel.installation.accessToken = 'another'
    await leave()
    await eventually(() => expect(answersTo(deployment.id, 'succeeded')).toContain(401))
    await eventually(() => expect(answersTo(deployment.id, 'failed')).toContain(401))
    expect(await holdpoint.left(deployment)).toEqual([])
  })
})

const readiness = async (url: string) => {
  const answer = await fetch(`${url}/readyz`)
  return { status: answer.status, body: await answer.json() }
}

test('/readyz of a server is 503 and says why until a worker is there, and 200 from then on', async () => {
  const temporal = await devServerEnvironment()
  const server = await startHoldpoint({
    temporal: { ...temporal, teardown: () => Promise.resolve() },
    roles: { server: true, worker: false },
  })
  onTestFinished(() => server.close())
  await eventually(async () =>
    expect(await readiness(server.url)).toEqual({
      status: 503,
      body: {
        error: {
          code: 'not_ready',
          message: expect.stringMatching(/No worker.*deployment-actions/),
        },
      },
    }),
  )
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  const worker = await startHoldpoint({ temporal, roles: { server: false, worker: true } })
  onTestFinished(() => worker.close())
  await server.service.ready
  expect(await readiness(server.url)).toEqual({ status: 200, body: { status: 'ready' } })
})
