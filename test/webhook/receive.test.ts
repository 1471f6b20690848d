import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Acceptance, VercelEvent } from '../../src/domain/vercel-event.ts'
import { jsonLog } from '../../src/log.ts'
import { createApp } from '../../src/server/app.ts'
import { type Listener, listen } from '../../src/server/listen.ts'
import { rawWebhook } from './raw-bytes.ts'

// The front door over real HTTP; behind it stands a list of what was accepted.

const secrets = ['new-secret', 'old-secret']
let accepted: VercelEvent[] = []
let lines: string[] = []
let answer: () => Promise<Acceptance>
let door: Listener

beforeAll(async () => {
  const app = createApp({
    secrets,
    accept: async (event) => {
      const status = await answer()
      accepted.push(event)
      return status
    },
    unready: () => Promise.resolve(undefined),
    log: jsonLog((line) => lines.push(line)),
  })
  door = await listen(app, { host: '127.0.0.1', port: 0 })
})
afterAll(() => door.close())
beforeEach(() => {
  accepted = []
  lines = []
  answer = () => Promise.resolve('accepted')
})

const start = {
  id: 'uev_1',
  type: 'deployment.integration.action.start',
  createdAt: 1_767_225_600_123,
  region: 'iad1',
  payload: {
    configuration: { id: 'icfg_A' },
    installationId: 'icfg_A',
    resourceId: 'team/db 42%',
    action: 'branch',
    deployment: { id: 'dpl_9' },
    team: { id: 'team_1' },
    user: { id: null },
  },
}

function sign(body: string | Uint8Array, secret = 'new-secret'): string {
  return createHmac('sha1', secret).update(body).digest('hex')
}

async function post(
  body: unknown,
  signature?: string | null,
): Promise<{
  status: number
  body: { status?: string; error?: { code: string; message: string } }
  headers: Headers
}> {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const response = await fetch(`${door.url}/webhooks/vercel`, {
    method: 'POST',
    body: raw as string,
    headers: {
      'content-type': 'application/json',
      ...(signature !== null && { 'x-vercel-signature': signature ?? sign(raw) }),
    },
  })
  return {
    status: response.status,
    body: await response.json(),
    headers: response.headers,
  } as never
}

describe('a signed event is accepted', () => {
  test('as what it asks for, with its ids unchanged', async () => {
    expect(await post(start)).toMatchObject({ status: 200, body: { status: 'accepted' } })
    expect(accepted).toEqual([
      {
        kind: 'action',
        action: {
          key: {
            installationId: 'icfg_A',
            resourceId: 'team/db 42%',
            deploymentId: 'dpl_9',
            action: 'branch',
          },
          wish: 'run',
          deliveryId: 'uev_1',
          occurredAt: 1_767_225_600_123,
          teamId: 'team_1',
        },
      },
    ])
  })

  test.each([
    ['start', 'run'],
    ['cancel', 'canceled'],
    ['cleanup', 'cleaned'],
  ])('%s asks that the action be %s', async (kind, wish) => {
    await post({ ...start, type: `deployment.integration.action.${kind}` })
    expect(accepted).toMatchObject([{ action: { wish } }])
  })

  test('with either of two secrets, while one is being rotated', async () => {
    const raw = JSON.stringify(start)
    expect((await post(raw, sign(raw, 'old-secret'))).status).toBe(200)
    expect((await post(raw, sign(raw, 'new-secret'))).status).toBe(200)
  })

  test('with keys that nobody knows, without configuration, without region', async () => {
    const { configuration: _, team: __, ...payload } = start.payload
    const { region: ___, ...envelope } = start
    const sparse = {
      ...envelope,
      clientId: 'oac_1',
      brandNew: { deep: true },
      payload: { ...payload, team: null, project: { id: 'prj_1' }, options: { parent: 'main' } },
    }
    expect((await post(sparse)).status).toBe(200)
    expect(accepted).toMatchObject([{ action: { options: { parent: 'main' } } }])
    expect(accepted[0]).not.toHaveProperty('action.teamId')
  })

  test.each([
    [
      'deployment.checkrun.start',
      { checkRun: { id: 'ckr_1' }, deployment: { id: 'dpl_9' }, installationId: 'icfg_A' },
      { kind: 'check-run', run: { key: { checkRunId: 'ckr_1' } } },
    ],
    [
      'integration-resource.project-connected',
      { installationId: 'icfg_A', resourceId: 'db', projectId: 'prj_1' },
      { kind: 'resource-connected', projectId: 'prj_1' },
    ],
    [
      'deployment.ready',
      { deployment: { id: 'dpl_9' }, installationIds: ['icfg_A'] },
      { kind: 'deployment', news: 'ready', deploymentId: 'dpl_9' },
    ],
  ])('of the type %s, and logged with its ids', async (type, payload, event) => {
    expect(await post({ ...start, type, payload })).toMatchObject({
      status: 200,
      body: { status: 'accepted' },
    })
    expect(accepted).toMatchObject([event])
    expect(lines.join()).toMatch(/"event":"webhook.accepted",.*"installationId":"icfg_A"/)
  })

  test('and answered as ignored when nothing is to be done about it', async () => {
    answer = () => Promise.resolve('ignored')
    expect(await post(start)).toMatchObject({ status: 200, body: { status: 'ignored' } })
  })

  test('as a duplicate when the same one came before', async () => {
    answer = () => Promise.resolve('duplicate')
    expect(await post(start)).toMatchObject({ status: 200, body: { status: 'duplicate' } })
  })

  test('and ignored when its type is none that Holdpoint has a use for', async () => {
    for (const type of ['deployment.created', 'something.new', 'constructor', '__proto__']) {
      expect(await post({ ...start, type, payload: { any: 1 } })).toMatchObject({
        status: 200,
        body: { status: 'ignored' },
      })
    }
    expect(accepted).toEqual([])
    expect(lines.join()).toContain('names no installation')
  })
})

describe('who did not sign these bytes is refused with 401, and nothing of the body is read or logged', () => {
  const raw = JSON.stringify({ ...start, id: 'tell-tale' })
  test.each([
    ['no signature', null],
    ['an empty one', ''],
    ['that of another secret', sign(raw, 'wrong')],
    ['that of other bytes', sign(`${raw} `)],
    ['an upper-case one', sign(raw).toUpperCase()],
    ['one that is too short', sign(raw).slice(0, -2)],
    ['one that is no hex', 'z'.repeat(40)],
    ['one with a prefix', `sha1=${sign(raw)}`],
  ])('%s', async (_, signature) => {
    expect(await post(raw, signature)).toMatchObject({
      status: 401,
      body: { error: { code: 'invalid_signature' } },
    })
    expect(accepted).toEqual([])
    expect(lines.join()).not.toContain('tell-tale')
  })

  test('a body that is no JSON is refused for its signature, not for its form', async () => {
    expect((await post('{', sign('[]'))).status).toBe(401)
  })
})

describe('a signed body that is no event is refused with the field named', () => {
  test('400 when it is not JSON', async () => {
    expect(await post('{"id":')).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_json' } },
    })
    expect((await post(new Uint8Array([0x22, 0xff, 0x22]))).status).toBe(400)
  })

  const { payload } = start
  test.each([
    ['body', []],
    ['type', { ...start, type: undefined }],
    ['createdAt', { ...start, createdAt: '2026-01-01' }],
    ['payload', { ...start, payload: 'x' }],
    [
      'payload.installationId',
      { ...start, payload: { ...payload, installationId: 5, configuration: undefined } },
    ],
    ['payload.resourceId', { ...start, payload: { ...payload, resourceId: '' } }],
    ['payload.resourceId', { ...start, payload: { ...payload, resourceId: '\ud800' } }],
    ['payload.resourceId', { ...start, payload: { ...payload, resourceId: 'x'.repeat(1001) } }],
    ['payload.action', { ...start, payload: { ...payload, action: undefined } }],
    ['payload.deployment.id', { ...start, payload: { ...payload, deployment: {} } }],
    [
      'payload.configuration.id',
      { ...start, payload: { ...payload, configuration: { id: 'icfg_B' } } },
    ],
  ])('422 for %s', async (field, event) => {
    const refused = await post(event)
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'invalid_event' } } })
    expect(refused.body.error?.message).toContain(`${field}:`)
    expect(accepted).toEqual([])
  })
})

describe('a body over 1 MiB is refused with 413 before it is read to its end', () => {
  test('when its length is announced', async () => {
    const raw = ' '.repeat(1024 * 1024 + 1)
    expect(await post(raw)).toMatchObject({
      status: 413,
      body: { error: { code: 'body_too_large' } },
    })
  })

  test('when it is sent in chunks that never end', async () => {
    const request = rawWebhook(door.url, [
      `x-vercel-signature: ${sign('')}`,
      'Transfer-Encoding: chunked',
    ])
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    const pump = () => {
      if (request.socket.writable) request.socket.write(chunk, pump)
    }
    pump()
    await expect.poll(() => request.answer).toContain('body_too_large')
    expect(request.answer).toMatch(/^HTTP\/1.1 413 /)
  })

  test('and one of exactly 1 MiB is read', async () => {
    const raw = JSON.stringify(start)
    const padded = raw + ' '.repeat(1024 * 1024 - raw.length)
    expect((await post(padded)).status).toBe(200)
  })
})

test('a signed body of which only a part comes in is no event, and no error of ours', async () => {
  const raw = JSON.stringify(start)
  const headers = [`x-vercel-signature: ${sign(raw)}`, `Content-Length: ${raw.length + 1}`]
  const request = rawWebhook(door.url, headers, raw)
  await expect.poll(() => request.socket.bytesWritten).toBeGreaterThan(raw.length)
  request.socket.end()
  await expect.poll(() => lines.join()).toContain('body_incomplete')
  expect(accepted).toEqual([])
  expect(lines.join()).not.toContain('http.unforeseen_error')
})

test('an event that was not stored durably gets 503 with Retry-After, so that Vercel delivers it again', async () => {
  answer = () => Promise.reject(new Error('connection to postgres://me:hunter2@db failed'))
  const refused = await post(start)
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 'not_accepted' } } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(lines.join()).not.toContain('hunter2')
})

test('anything else is answered in the same form, with the way to the door', async () => {
  const response = await fetch(`${door.url}/elsewhere`)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({
    error: { code: 'not_found', message: expect.stringContaining('POST /webhooks/vercel') },
  })
})
