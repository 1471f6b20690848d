import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { branchRef } from '../../../src/domain/branch-ref.ts'
import type { ActionFailure } from '../../../src/domain/failure.ts'
import { verifyHttpDriverRequest } from '../../../src/index.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import {
  type Answer,
  deadUrl,
  json,
  type ReceivedRequest,
  smallServer,
} from '../../vercel/small-server.ts'
import { driverFor } from './http-under-test.ts'
import { PROVIDER_SECRET } from './postgres-provider.ts'

const owner = {
  installationId: 'icfg_1',
  resourceId: 'shop',
  deploymentId: 'dpl_1',
  action: 'branch',
}
const ref = branchRef(owner)
const password = 'a-password-that-nobody-may-see'
const connection = {
  url: `lines://u:${password}@example.com/b`,
  host: 'example.com',
  port: 1,
  user: 'u',
  password,
  database: 'b',
}

/** A driver for a provider that answers as it is told: each kind of request with these, one after the other. */
async function driverOf(answers: Partial<Record<string, Answer | Answer[]>>) {
  const left = new Map(Object.entries(answers).map(([method, each]) => [method, [each].flat()]))
  const server = await smallServer((response, request) => {
    const due = left.get(request.method) ?? []
    const answer = due.length > 1 ? due.shift() : due[0]
    ;(answer ?? json(500, {}))(response, request)
  })
  const driver = driverFor(server.url)
  onTestFinished(() => driver.close())
  return { driver, received: server.received, url: server.url }
}

const absent = json(200, { state: 'absent', fence: '7' })
const complete = json(200, { state: 'complete', fence: '7', owner })
const making = json(200, { state: 'making', fence: '7', owner, progress: 'half of it' })
const atWork = json(202, {}, { 'retry-after': '0' })
const noContent: Answer = (response) => response.writeHead(204).end()

function failed(error: unknown): Answer {
  return json(200, { state: 'failed', fence: '7', owner, error })
}

async function failureOf(call: Promise<unknown>): Promise<ActionFailure> {
  return await call.then(
    () => expect.fail('the call was to fail and did not'),
    (error: ActionFailure) => error,
  )
}

function bodyOf(request: ReceivedRequest | undefined): unknown {
  return JSON.parse(request?.body ?? 'null')
}

type Driver = ReturnType<typeof driverFor>

const create = (driver: Driver, onProgress = (_text: string) => {}) =>
  driver.createBranch({ source: 'shop', ref }, driverCall({ onProgress, holdpoint: 'oac_1' }))

const remove = (driver: Driver) => driver.deleteBranch(ref, driverCall())

describe('a request', () => {
  test('is signed as the provider can verify it, and names what it is about', async () => {
    const { driver, received } = await driverOf({ GET: [absent, complete], PUT: atWork })
    await create(driver)
    expect(received.map(({ method, target }) => `${method} ${target}`)).toEqual([
      `GET /branches/${ref.name}`,
      `PUT /branches/${ref.name}`,
      `GET /branches/${ref.name}`,
    ])
    expect(bodyOf(received[1])).toEqual({ source: 'shop', owner, holdpoint: 'oac_1', fence: '7' })
    for (const { method, target: path, headers, body } of received)
      expect(
        verifyHttpDriverRequest({ method, path, headers, body }, { secret: PROVIDER_SECRET }),
      ).toBe(true)
  })

  test('is signed with both secrets while they are rotated', async () => {
    const { url, received } = await driverOf({ GET: json(200, { branches: [] }) })
    const newSecret = 'the-secret-that-comes-in-its-place-1'
    const driver = driverFor(url, { secret: `${newSecret},${PROVIDER_SECRET}` })
    onTestFinished(() => driver.close())
    await driver.listBranches(driverCall())
    const [request] = received
    for (const secret of [newSecret, PROVIDER_SECRET])
      expect(
        verifyHttpDriverRequest(
          { method: 'GET', path: '/branches', headers: request?.headers ?? {}, body: '' },
          { secret },
        ),
      ).toBe(true)
  })

  test('has the name of the branch as one part of its path, whatever it holds', async () => {
    const { driver, received } = await driverOf({ DELETE: noContent })
    const strange = { name: '../a/b?c=d#e %2e', owner }
    await driver.deleteBranch(strange, driverCall())
    expect(received[0]?.target).toBe('/branches/..%2Fa%2Fb%3Fc%3Dd%23e%20%252e')
    for (const name of ['', '.', '..', 'half \uD800'])
      await expect(driver.deleteBranch({ name, owner }, driverCall())).rejects.toMatchObject({
        code: 'branch_name_invalid',
        retryable: false,
      })
    expect(received).toHaveLength(1)
  })

  test('has the cursor of the list as its provider gave it', async () => {
    const page = (name: string, next?: string) =>
      json(200, { branches: [{ name, owner, state: 'complete' }], next })
    const { driver, received } = await driverOf({ GET: [page('hp_a', 'a/b c&d='), page('hp_b')] })
    const listed = await driver.listBranches(driverCall())
    expect(listed.map(({ ref }) => ref.name)).toEqual(['hp_a', 'hp_b'])
    const query = new URL(received[1]?.target ?? '', 'http://x').searchParams
    expect(query.get('cursor')).toBe('a/b c&d=')
  })
})

describe('a list', () => {
  test('whose pages go round in a circle ends as a failure', async () => {
    const { driver } = await driverOf({ GET: json(200, { branches: [], next: 'again' }) })
    const failure = await failureOf(driver.listBranches(driverCall()))
    expect(failure).toMatchObject({ code: 'provider_answer_unreadable', retryable: true })
  })

  test('leaves out what has no owner, and keeps what it does not know', async () => {
    const branches = [
      { name: 'hp_a', owner, state: 'paused', extra: 1, createdAt: '2026-01-01T00:00:00.000Z' },
      { name: 'hp_b', owner: { ...owner, action: 1 }, state: 'complete' },
      { name: 'hp_c', state: 'complete' },
      { name: 'hp_d', owner, state: 'complete', createdAt: 'once', source: 5 },
      null,
    ]
    const { driver } = await driverOf({ GET: json(200, { branches, more: true }) })
    expect(await driver.listBranches(driverCall())).toEqual([
      { ref: { name: 'hp_a', owner }, complete: false, createdAt: new Date(Date.UTC(2026, 0)) },
      { ref: { name: 'hp_d', owner }, complete: true },
    ])
  })
})

describe('a creation', () => {
  test('waits while the provider is at work, in ways that we do not know too, and tells of it', async () => {
    const polishing = json(200, { state: 'polishing', fence: '7', owner }, { 'retry-after': '0' })
    const { driver } = await driverOf({ GET: [absent, making, polishing, complete], PUT: atWork })
    const told: string[] = []
    await create(driver, (text) => told.push(text))
    expect(told).toContain(`the provider makes the branch ${ref.name}: half of it`)
  })

  test.each([
    [{ code: 'source_missing', message: 'Gone.' }, 'source_missing', false],
    [{ code: 'quota', message: 'Full.', retryable: false }, 'quota', false],
    [{ code: 'quota', message: 'Full.' }, 'quota', true],
    [undefined, 'provider_failed', true],
  ])('that ended as %j fails with %s, retryable: %s', async (error, code, retryable) => {
    const { driver } = await driverOf({ GET: [absent, failed(error)], PUT: atWork })
    expect(await failureOf(create(driver))).toMatchObject({ code, retryable })
  })

  test.each(['absent', 'deleting'])(
    'whose branch is then %s was met by a deletion',
    async (state) => {
      const deleted = json(200, { state, fence: '8', owner })
      const { driver } = await driverOf({ GET: [absent, deleted], PUT: atWork })
      const failure = await failureOf(create(driver))
      expect(failure).toMatchObject({ code: 'branch_deleted_meanwhile', retryable: true })
    },
  )

  test.each([
    [
      'somebody else',
      json(200, { state: 'complete', fence: '7', owner: { ...owner, action: 'x' } }),
    ],
    ['nobody', json(200, { state: 'complete', fence: '7' })],
    ['an owner of another kind', json(200, { state: 'failed', fence: '7', owner: 'me' })],
  ])('under whose name there is something of %s asks for nothing', async (_whose, answer) => {
    const { driver, received } = await driverOf({ GET: answer })
    const failure = await failureOf(create(driver))
    expect(failure).toMatchObject({ code: 'branch_owner_mismatch', retryable: false })
    expect(received.map(({ method }) => method)).toEqual(['GET'])
  })

  test('is signed before it asks whether it is wanted, so that it grows old meanwhile', async () => {
    const { driver, received } = await driverOf({ GET: absent, PUT: json(200, {}) })
    let askedAtSeconds = 0
    const confirm = async () => {
      const begun = Math.floor(Date.now() / 1000)
      await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 3000 }).not.toBe(begun)
      askedAtSeconds = Math.floor(Date.now() / 1000)
    }
    await driver.createBranch({ source: 'shop', ref }, driverCall({ confirm }))
    expect(Number(received[1]?.headers['holdpoint-timestamp'])).toBeLessThan(askedAtSeconds)
  })
})

describe('a deletion', () => {
  test('waits until nothing is there', async () => {
    const deleting = json(200, { state: 'deleting', fence: '8', owner }, { 'retry-after': '0' })
    const { driver, received } = await driverOf({
      GET: [deleting, deleting, absent],
      DELETE: atWork,
    })
    await remove(driver)
    expect(bodyOf(received[0])).toEqual({ owner })
    expect(received.map(({ method }) => method)).toEqual(['DELETE', 'GET', 'GET', 'GET'])
  })

  test('of what the provider does not know succeeds', async () => {
    const { driver } = await driverOf({ DELETE: json(404, { error: { code: 'branch_missing' } }) })
    await remove(driver)
    expect(await failureOf(driver.openBranch(ref, driverCall()))).toBeDefined()
  })

  test.each<[string, Answer]>([
    ['a 404 without its code', json(404, { message: 'no such route' })],
    ['a 404 in HTML', (response) => response.writeHead(404).end('<h1>branch_missing</h1>')],
    ['a welcome page', json(200, undefined, { 'content-type': 'text/html' })],
    ['a refusal without a word on retries', json(400, { error: { code: 'strange', message: '' } })],
  ])('that is answered with %s has not happened, and is tried again', async (_what, answer) => {
    const { driver } = await driverOf({ DELETE: answer, GET: complete })
    expect(await failureOf(remove(driver))).toMatchObject({ retryable: true })
  })

  test.each(['complete', 'making', 'failed'])(
    'that left the branch %s is tried again',
    async (state) => {
      const left = json(200, { state, fence: '8', owner })
      const { driver } = await driverOf({ DELETE: atWork, GET: left })
      const failure = await failureOf(remove(driver))
      expect(failure).toMatchObject({ code: 'branch_still_there', retryable: true })
    },
  )

  test('that the provider gave up tells why', async () => {
    const error = { code: 'disk', message: 'The disk is full.' }
    const { driver } = await driverOf({ DELETE: atWork, GET: failed(error) })
    const failure = await failureOf(remove(driver))
    expect(failure).toMatchObject({ code: 'disk', retryable: true })
    expect(failure.message).toContain('The disk is full.')
  })
})

describe('an answer', () => {
  const openWith = async (answer: Answer, options = {}) => {
    const { url, received } = await driverOf({ POST: answer })
    const driver = driverFor(url, options)
    onTestFinished(() => driver.close())
    return { failure: await failureOf(driver.openBranch(ref, driverCall())), received }
  }

  test.each<[string, Answer]>([
    ['no JSON', (response) => response.end(JSON.stringify(connection).slice(1))],
    [
      'broken JSON',
      (response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify(connection).slice(0, -1)),
    ],
    ['JSON of another type', json(200, connection, { 'content-type': 'text/plain' })],
    ['no connection', json(200, { ...connection, port: password })],
    ['a connection without its URL', json(200, { ...connection, url: undefined })],
    ['over 1 MiB', json(200, { ...connection, more: password.repeat(40_000) })],
    [
      'an end too early',
      (response) =>
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': 900 })
          .write(JSON.stringify(connection), () => response.destroy()),
    ],
    ['a failure that quotes it', json(500, { error: { code: 'e', message: connection.url } })],
    ['a code that quotes it', json(500, { error: { code: password, message: '' } })],
    ['a status alone', json(500, connection)],
  ])('that has %s is retried, and its password is in no failure', async (_what, answer) => {
    const { failure } = await openWith(answer)
    expect(failure).toMatchObject({ name: 'ActionFailure', retryable: true })
    expect(inspect(failure, { depth: 9 })).not.toContain(password)
    expect(failure.message).toContain(`the branch ${ref.name} cannot be opened`)
  })

  test('that does not come in time is retried', async () => {
    const { failure } = await openWith(() => {}, { timeout: '100 ms' })
    expect(failure).toMatchObject({ code: 'provider_unreachable', retryable: true })
    expect(failure.message).toContain('none in 100 ms')
  })

  test('that comes byte by byte is not waited for', async () => {
    let dripping: NodeJS.Timeout | undefined
    onTestFinished(() => clearInterval(dripping))
    const { failure } = await openWith(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        dripping = setInterval(() => response.write(' '), 20)
      },
      { timeout: '200 ms' },
    )
    expect(failure).toMatchObject({ code: 'provider_unreachable', retryable: true })
  })

  test('that sends elsewhere is followed nowhere', async () => {
    const elsewhere = await smallServer(json(200, connection))
    for (const status of [301, 302, 303, 307, 308]) {
      const location = { location: `${elsewhere.url}/branches` }
      const { failure } = await openWith(json(status, undefined, location))
      expect(failure).toMatchObject({ code: 'provider_redirected', retryable: true })
    }
    expect(elsewhere.connections()).toBe(0)
  })

  test('of 401 says what both sides need', async () => {
    const { failure } = await openWith(json(401, { error: { code: 'x', message: 'y' } }))
    expect(failure).toMatchObject({ code: 'provider_refused_signature', retryable: true })
    expect(inspect(failure, { depth: 9 })).not.toContain(PROVIDER_SECRET)
  })

  test('that asks for a pause passes it on, up to five minutes', async () => {
    for (const [header, retryAfterMs] of [
      ['7', 7000],
      ['86400', 300_000],
      ['soon', undefined],
      ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ] as const) {
      const answer = json(429, { error: { code: 'busy', message: '' } }, { 'retry-after': header })
      expect((await openWith(answer)).failure.retryAfterMs).toBe(retryAfterMs)
    }
  })

  test('is shown in one line of at most 200 characters, without an address', async () => {
    const message = `\u001B[31mNo\nbranch\u202E left at postgres://u:${password}@h/d today ${'x'.repeat(500)}`
    const { failure } = await openWith(json(409, { error: { code: 'quota', message } }))
    expect(failure.message).toContain(': [31mNo branch left at [address] today xxx')
    expect(failure.message).not.toContain('x'.repeat(200))
    expect(failure.message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  test('in order gives the connection, its secrets unseen', async () => {
    const { driver, received } = await driverOf({ POST: json(200, { ...connection, more: 1 }) })
    const opened = await driver.openBranch(ref, driverCall())
    expect(inspect(opened)).not.toContain(password)
    expect(opened.url.reveal()).toBe(connection.url)
    expect(opened.password.reveal()).toBe(password)
    expect(opened).toMatchObject({ host: 'example.com', port: 1, user: 'u', database: 'b' })
    expect(received[0]?.target).toBe(`/branches/${ref.name}/open`)
    expect(bodyOf(received[0])).toEqual({ owner })
  })
})

describe('a provider that cannot be reached', () => {
  test('is told by its call, its preparation and its check-up', async () => {
    const driver = driverFor(await deadUrl())
    onTestFinished(() => driver.close())
    const unreachable = { code: 'provider_unreachable', retryable: true }
    expect(await failureOf(create(driver))).toMatchObject(unreachable)
    const servers = { postgres: () => Promise.reject(new Error('not asked for')) }
    expect(await failureOf(driver.prepare?.(servers) ?? Promise.resolve())).toMatchObject(
      unreachable,
    )
    expect(await driver.check()).toMatchObject([{ level: 'error', subject: 'HTTP provider' }])
  })

  test('that has been closed takes no more work, however often it is closed', async () => {
    const { driver, received } = await driverOf({ GET: absent })
    await driver.close()
    await driver.close()
    expect(await failureOf(create(driver))).toMatchObject({
      code: 'driver_closed',
      retryable: true,
    })
    expect(received).toEqual([])
  })
})

test.each([
  ['answers', 0],
  ['is given time', 200],
])(
  'a deletion that is canceled while the provider %s throws the reason',
  async (_when, afterMs) => {
    const stop = new AbortController()
    const reason = new Error('canceled by the test')
    const deleting: Answer = (response, request) => {
      const state = { state: 'deleting', fence: '8', owner }
      json(200, state, { 'retry-after': '60' })(response, request)
      setTimeout(() => stop.abort(reason), afterMs)
    }
    const { driver } = await driverOf({ DELETE: atWork, GET: deleting })
    const deletion = driver.deleteBranch(ref, driverCall({ signal: stop.signal }))
    await expect(deletion).rejects.toBe(reason)
  },
)

test.each<[string, (driver: Driver, signal: AbortSignal) => Promise<unknown>]>([
  ['creation', (driver, signal) => driver.createBranch({ source: 'shop', ref }, callWith(signal))],
  ['opening', (driver, signal) => driver.openBranch(ref, callWith(signal))],
  ['deletion', (driver, signal) => driver.deleteBranch(ref, callWith(signal))],
  ['list', (driver, signal) => driver.listBranches(callWith(signal))],
])(
  'a %s that is canceled, or whose driver is closed, does not wait for the answer',
  async (_what, act) => {
    const reason = new Error('canceled by the test')
    const stop = new AbortController()
    let hear = () => stop.abort(reason)
    const silent: Answer = () => hear()
    const { driver } = await driverOf({ GET: silent, POST: silent, DELETE: silent })
    await expect(act(driver, stop.signal)).rejects.toBe(reason)
    hear = () => void driver.close()
    const closed = act(driver, new AbortController().signal)
    await expect(closed).rejects.toMatchObject({ code: 'driver_closed', retryable: true })
  },
)

function callWith(signal: AbortSignal) {
  return driverCall({ signal })
}
