import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import {
  requestVercel,
  type VercelConnection,
  type VercelRequest,
} from '../../src/vercel/client.ts'
import { VercelApiError } from '../../src/vercel/errors.ts'
import { connectionTo, deadUrl, json, smallServer, TOKEN } from './small-server.ts'

const read: VercelRequest = { method: 'GET', path: ['v1', 'thing'], installationId: 'icfg_A' }

async function refusalOf(
  connection: VercelConnection,
  request: Partial<VercelRequest> = {},
): Promise<VercelApiError> {
  const error: unknown = await requestVercel(connection, { ...read, ...request }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof VercelApiError) return error
  throw new Error(`no VercelApiError: ${String(error)}`)
}

describe('an id reaches Vercel as the one path part it is', () => {
  test.each([
    ['team/db', 'team%2Fdb'],
    ['100%', '100%25'],
    ['%2F', '%252F'],
    ['a b', 'a%20b'],
    ['größe 数', 'gr%C3%B6%C3%9Fe%20%E6%95%B0'],
    ['a?b#c', 'a%3Fb%23c'],
    ['...', '...'],
    ['%2e%2e', '%252e%252e'],
  ])('%s', async (id, encoded) => {
    const { connection, received } = await smallServer()
    await requestVercel(connection, { ...read, path: ['v1', 'resources', id, 'x'] })
    expect(received.map(({ target }) => target)).toEqual([`/v1/resources/${encoded}/x`])
  })

  test.each(['.', '..'])('%s, which would reach another route, is not sent at all', async (id) => {
    const { connection, received } = await smallServer()
    const error = await refusalOf(connection, { path: ['v1', 'resources', id, 'x'] })
    expect(error).toMatchObject({ code: 'unaddressable_id', mayHaveActed: false, retryable: false })
    expect(error.message).toContain('give the resource another id')
    expect(received).toEqual([])
  })
})

test.each(['/api', '/api/', '/api//'])(
  'a base URL may have a path of its own: %s',
  async (path) => {
    const { url, received } = await smallServer()
    await requestVercel(connectionTo(url + path), {
      ...read,
      query: { teamId: 't 1', slug: undefined },
    })
    expect(received.map(({ target }) => target)).toEqual(['/api/v1/thing?teamId=t+1'])
  },
)

test('the installation’s own token is asked for each call and sent as the header alone', async () => {
  const { url, received } = await smallServer()
  const asked: string[] = []
  const connection = {
    ...connectionTo(url),
    accessToken: (installationId: string) =>
      Promise.resolve(`${TOKEN}-${asked.push(installationId)}`),
  }
  await requestVercel(connection, read)
  await requestVercel(connection, { ...read, method: 'PATCH', body: { a: 1 } })
  expect(asked).toEqual(['icfg_A', 'icfg_A'])
  expect(received.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${TOKEN}-1`,
    `Bearer ${TOKEN}-2`,
  ])
  const elsewhere = received.map((request) => ({
    ...request,
    headers: { ...request.headers, authorization: undefined },
  }))
  expect(JSON.stringify(elsewhere)).not.toContain(TOKEN)
  expect(received[1]).toMatchObject({ method: 'PATCH', body: '{"a":1}' })
  expect(received[1]?.headers['content-type']).toBe('application/json')
})

describe('a token that Vercel refuses', () => {
  /** Takes the token `good` only. */
  const vercel = (status: number) =>
    smallServer((response, request) =>
      json(request.headers.authorization === 'Bearer good' ? 200 : status, { taken: true })(
        response,
        request,
      ),
    )
  /** Gives these tokens one after the other, and remembers what it was asked. */
  const tokens = (...given: (string | Error)[]) => {
    const asked: (string | undefined)[][] = []
    const accessToken = async (...request: (string | undefined)[]) => {
      const token = given[asked.push(request) - 1]
      if (token === undefined || token instanceof Error) throw token ?? new Error('asked too often')
      return token
    }
    return { asked, accessToken }
  }
  const patch: VercelRequest = { ...read, method: 'PATCH', body: { a: 1 } }

  test.each([401, 403])('with %i is asked for anew, and the request sent again', async (status) => {
    const { url, received } = await vercel(status)
    const { asked, accessToken } = tokens('old', 'good')
    const connection = { ...connectionTo(url), accessToken }
    expect(await requestVercel(connection, patch)).toEqual({ taken: true })
    expect(asked).toEqual([
      ['icfg_A', undefined],
      ['icfg_A', 'old'],
    ])
    expect(received.map(({ body, headers }) => [body, headers.authorization])).toEqual([
      ['{"a":1}', 'Bearer old'],
      ['{"a":1}', 'Bearer good'],
    ])
  })

  test('is not sent again when there is no other', async () => {
    const { url, received } = await vercel(401)
    const { accessToken } = tokens('old', 'old')
    expect(await refusalOf({ ...connectionTo(url), accessToken })).toMatchObject({ status: 401 })
    expect(received).toHaveLength(1)
  })

  test('is asked for once only, so two refusals are the end of it', async () => {
    const { url, received } = await vercel(403)
    const { asked, accessToken } = tokens('old', 'older', 'good')
    expect(await refusalOf({ ...connectionTo(url), accessToken })).toMatchObject({ status: 403 })
    expect([asked.length, received.length]).toEqual([2, 2])
  })

  test('is what is told when another cannot be had', async () => {
    const { url } = await vercel(401)
    const { accessToken } = tokens('old', new Error('hunter2'))
    const error = await refusalOf({ ...connectionTo(url), accessToken })
    expect(error).toMatchObject({ status: 401, code: 'unknown' })
  })
})

describe('without a token nothing is sent', () => {
  const refusal = async (error: Error) => {
    const { url, received } = await smallServer()
    const accessToken = async () => {
      throw error
    }
    const refused = await refusalOf({ ...connectionTo(url), accessToken })
    expect(received).toEqual([])
    return refused
  }

  test('and where nobody has one, it is as if Vercel had refused it', async () => {
    const failure = new ActionFailure('access_token_unknown', 'None.', { retryable: false })
    expect(await refusal(failure)).toMatchObject({
      status: 401,
      code: 'no_access_token',
      message: 'None.',
      mayHaveActed: false,
    })
  })

  test('and where one may come, it is as if there were no answer yet', async () => {
    const failure = new ActionFailure('away', 'Later.', { retryable: true, retryAfterMs: 7 })
    expect(await refusal(failure)).toMatchObject({
      status: 0,
      code: 'no_access_token',
      message: 'Later.',
      mayHaveActed: false,
      retryable: true,
      retryAfterMs: 7,
    })
  })

  test('and of an unforeseen error nothing is repeated', async () => {
    const error = await refusal(new Error('hunter2'))
    expect(error).toMatchObject({ status: 0, code: 'no_access_token' })
    expect(error.message).toContain('icfg_A')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
  })
})

describe('no error shows the token or the body that was sent', () => {
  const secret = 'postgres://me:hunter2@db'
  const patch = { method: 'PATCH', body: { value: secret } } as const
  const shown = (error: unknown) => inspect(error, { depth: 9, showHidden: true })

  test('when Vercel refuses, and repeats both', async () => {
    const { connection } = await smallServer(
      json(400, { error: { code: 'bad_request', message: `${secret} of ${TOKEN} is wrong` } }),
    )
    const error = await refusalOf(connection, patch)
    expect(error.message).toMatch(/^Vercel answered 400 bad_request to PATCH/)
    expect(shown(error)).not.toMatch(/hunter2|token-that/)
  })

  test('when the connection breaks', async () => {
    const { connection } = await smallServer((response) => response.destroy())
    expect(shown(await refusalOf(connection, patch))).not.toMatch(/hunter2|token-that/)
  })

  test('when the token cannot be a header', async () => {
    const { url } = await smallServer()
    const accessToken = () => Promise.resolve(`${TOKEN}\nsecond line`)
    const error = await refusalOf({ ...connectionTo(url), accessToken }, patch)
    expect(shown(error)).not.toMatch(/hunter2|token-that/)
  })
})

test('a connection is kept for the calls that follow, and calls side by side have one each', async () => {
  const { connection, connections } = await smallServer((response, request) =>
    setTimeout(() => json(200, {})(response, request), 20),
  )
  for (let call = 0; call < 3; call++) {
    await requestVercel(connection, read)
    // The pool takes a connection back a moment after the answer.
    await new Promise(setImmediate)
  }
  expect(connections()).toBe(1)
  await Promise.all([requestVercel(connection, read), requestVercel(connection, read)])
  expect(connections()).toBe(2)
})

test('a redirect is not followed: the token is for this host alone', async () => {
  const elsewhere = await smallServer()
  const { connection } = await smallServer(json(307, {}, { location: `${elsewhere.url}/v1/thing` }))
  expect(await refusalOf(connection)).toMatchObject({ status: 307, retryable: false })
  expect(elsewhere.received).toEqual([])
})

describe('an error tells whether Vercel may have acted, and whether to ask again', () => {
  test('connection refused: it has not', async () => {
    expect(await refusalOf(connectionTo(await deadUrl()))).toMatchObject({
      status: 0,
      code: 'no_answer',
      mayHaveActed: false,
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('cut after the request was sent: it may', async () => {
    const { connection } = await smallServer((response) => response.destroy())
    expect(await refusalOf(connection)).toMatchObject({
      status: 0,
      code: 'no_answer',
      mayHaveActed: true,
      retryable: true,
    })
  })

  test('cut within the answer: it may', async () => {
    const { connection } = await smallServer((response) => {
      response.writeHead(202, { 'content-length': '100' }).write('{')
      setImmediate(() => response.destroy())
    })
    expect(await refusalOf(connection)).toMatchObject({ status: 0, mayHaveActed: true })
  })

  test('no answer in time: it may, and the time is kept', async () => {
    const { url } = await smallServer(() => {})
    const error = await refusalOf(connectionTo(url, 50))
    expect(error).toMatchObject({ status: 0, mayHaveActed: true, retryable: true })
    expect(error.message).toContain('none within 50 ms')
  })

  test('headers in time and then a body that never ends: the same', async () => {
    const { url } = await smallServer((response) => void response.writeHead(200).write('{'))
    expect(await refusalOf(connectionTo(url, 50))).toMatchObject({ status: 0, mayHaveActed: true })
  })

  test('the caller’s abort ends it at once', async () => {
    const { url, received } = await smallServer(() => {})
    const aborter = new AbortController()
    const refusal = refusalOf(connectionTo(url, 60_000), { signal: aborter.signal })
    await expect.poll(() => received.length).toBe(1)
    aborter.abort()
    expect(await refusal).toMatchObject({ status: 0, mayHaveActed: true })
  })

  test.each([
    [400, { mayHaveActed: false, retryable: false }],
    [401, { mayHaveActed: false, retryable: true }],
    [403, { mayHaveActed: false, retryable: true }],
    [404, { mayHaveActed: false, retryable: false }],
    [409, { mayHaveActed: false, retryable: false }],
    [410, { mayHaveActed: false, retryable: false }],
    [429, { mayHaveActed: false, retryable: true }],
    [500, { mayHaveActed: true, retryable: true }],
    [503, { mayHaveActed: true, retryable: true }],
  ])('%i', async (status, decision) => {
    const { connection } = await smallServer(
      json(status, { error: { code: 'why', message: 'So.' } }),
    )
    expect(await refusalOf(connection)).toMatchObject({
      status,
      code: 'why',
      message: `Vercel answered ${status} why to GET /v1/thing: So.`,
      ...decision,
    })
  })

  test.each(['', '<html>Bad gateway</html>', '{"error":"text"}', '[]', '{"error":{"code":7}}'])(
    'whatever stands in its body: %s',
    async (body) => {
      const { connection } = await smallServer((response) => response.writeHead(502).end(body))
      expect(await refusalOf(connection)).toMatchObject({ status: 502, code: 'unknown' })
    },
  )
})

test('an answer without a body, or with one that is no JSON, is undefined', async () => {
  const empty = await smallServer(json(202, undefined))
  expect(await requestVercel(empty.connection, read)).toBeUndefined()
  const page = await smallServer((response) => response.end('<html>'))
  expect(await requestVercel(page.connection, read)).toBeUndefined()
})

describe('how long to wait is read from', () => {
  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

  test('Retry-After', async () => {
    const { connection } = await smallServer(json(429, {}, { 'retry-after': '7' }))
    expect((await refusalOf(connection)).retryAfterMs).toBe(7000)
  })

  test('the body where there is no header', async () => {
    const error = { code: 'rate_limited', message: 'Slow.', limit: { reset: inSeconds(30) } }
    const { connection } = await smallServer(json(429, { error }))
    const { retryAfterMs } = await refusalOf(connection)
    expect(retryAfterMs).toBeGreaterThan(25_000)
    expect(retryAfterMs).toBeLessThanOrEqual(30_000)
  })

  test('nowhere, when the body’s is no number', async () => {
    const error = { code: 'rate_limited', message: 'Slow.', limit: { reset: 'soon' } }
    const { connection } = await smallServer(json(429, { error }))
    expect(await refusalOf(connection)).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: undefined,
    })
  })
})
