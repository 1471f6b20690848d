import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { jsonLog } from '../../src/log.ts'
import { createApp } from '../../src/server/app.ts'
import { type Listener, listen } from '../../src/server/listen.ts'

let unready: () => Promise<string | undefined>
let lines: string[]
let listener: Listener

beforeEach(async () => {
  unready = () => Promise.resolve(undefined)
  lines = []
  const app = createApp({
    secrets: ['secret'],
    accept: () => Promise.resolve('accepted'),
    unready: () => unready(),
    log: jsonLog((line) => lines.push(line)),
  })
  listener = await listen(app, { host: '127.0.0.1', port: 0 })
})
afterEach(() => listener.close())

async function request(path: string, init: RequestInit = {}) {
  const response = await fetch(listener.url + path, init)
  expect(response.headers.get('content-type')).toContain('application/json')
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: await response.json(),
  }
}

test('/healthz answers 200 while the process lives, whatever Temporal does', async () => {
  unready = () => Promise.resolve('Temporal does not answer.')
  expect(await request('/healthz')).toMatchObject({ status: 200, body: { status: 'alive' } })
})

describe('/readyz answers', () => {
  test('200 once webhooks can be processed', async () => {
    expect(await request('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } })
  })

  test('503 with the reason, and when to ask again, until then', async () => {
    unready = () => Promise.resolve('Temporal does not answer.')
    expect(await request('/readyz')).toEqual({
      status: 503,
      retryAfter: '2',
      body: { error: { code: 'not_ready', message: 'Temporal does not answer.' } },
    })
  })

  test('500 when even that breaks, and the error stands in the log alone', async () => {
    unready = () => Promise.reject(new Error('broke at postgres://me:hunter2@db'))
    expect(await request('/readyz')).toMatchObject({
      status: 500,
      body: { error: { code: 'internal', message: expect.not.stringContaining('broke') } },
    })
    expect(lines.join()).toContain('http.unforeseen_error')
    expect(lines.join()).not.toContain('hunter2')
  })
})

test.each([
  ['GET', '/'],
  ['GET', '/webhooks/vercel'],
  ['PUT', '/webhooks/vercel'],
  ['POST', '/healthz'],
  ['DELETE', '/readyz'],
  ['GET', '/%2e%2e/secret'],
])(
  '%s %s, which is nothing, is answered in JSON with the way to the door',
  async (method, path) => {
    expect(await request(path, { method })).toMatchObject({
      status: 404,
      body: {
        error: { code: 'not_found', message: expect.stringContaining('POST /webhooks/vercel') },
      },
    })
  },
)
