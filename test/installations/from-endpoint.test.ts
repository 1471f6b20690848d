import { createHash, createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import type { ActionFailure } from '../../src/domain/failure.ts'
import { fromEndpoint, type TokenEndpoint } from '../../src/installations/from-endpoint.ts'
import { silentLog } from '../../src/log.ts'
import { type Answer, deadUrl, json, smallServer } from '../vercel/small-server.ts'
import { TOKEN } from './contract.ts'

const secret = 'endpoint-secret'

/** Tokens from an endpoint that answers so, and what it was asked. */
async function endpoint(answer?: Answer, options: Partial<TokenEndpoint> = {}) {
  let answered = 0
  const counting: Answer = (response, request) =>
    json(200, { access_token: `${TOKEN}-${++answered}` })(response, request)
  const { received, url } = await smallServer(answer ?? counting)
  const source = fromEndpoint({ url: `${url}/tokens`, secret, ...options })
  return { received, url, source, accessToken: open(source) }
}

function open(source: ReturnType<typeof fromEndpoint>) {
  return source.open({ environmentToken: undefined, store: undefined, log: silentLog })
}

describe('the endpoint is asked', () => {
  test('for one installation, by a request that it can check', async () => {
    const { received, accessToken } = await endpoint()
    expect(await accessToken('icfg_1')).toBe(`${TOKEN}-1`)
    const [request] = received
    expect(request).toMatchObject({ method: 'GET', target: '/tokens?installation_id=icfg_1' })
    const timestamp = String(request?.headers['holdpoint-timestamp'])
    expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(10)
    const lines = ['v1', timestamp, 'GET', request?.target, createHash('sha256').digest('hex')]
    const signature = createHmac('sha256', secret).update(lines.join('\n')).digest('hex')
    expect(request?.headers['holdpoint-signature']).toBe(`v1=${signature}`)
    expect(JSON.stringify(request)).not.toContain(secret)
  })

  test('with what its URL has already, and with ids as they are', async () => {
    const { received, url } = await endpoint()
    const source = fromEndpoint({ url: `${url}/t?key=a%20b`, secret })
    await open(source)('icfg_&=#/ü')
    const target = new URL(received[0]?.target ?? '', url)
    expect(Object.fromEntries(target.searchParams)).toEqual({
      key: 'a b',
      installation_id: 'icfg_&=#/ü',
    })
  })

  test('with two signatures while the secret is rotated', async () => {
    const { received, accessToken } = await endpoint(undefined, { secret: 'new, old' })
    await accessToken('icfg_1')
    expect(received[0]?.headers['holdpoint-signature']).toMatch(/^v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/)
  })
})

describe('a token', () => {
  test('is kept for a while, for its installation alone', async () => {
    const { received, accessToken } = await endpoint()
    for (let time = 0; time < 3; time++) expect(await accessToken('icfg_1')).toBe(`${TOKEN}-1`)
    expect(await accessToken('icfg_2')).toBe(`${TOKEN}-2`)
    expect(received).toHaveLength(2)
  })

  test('is asked for once by all who want it at the same moment', async () => {
    const { received, accessToken } = await endpoint()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => accessToken('icfg_1')))
    expect(new Set(tokens)).toEqual(new Set([`${TOKEN}-1`]))
    expect(received).toHaveLength(1)
  })

  test('is asked for again when its time is over', async () => {
    const { accessToken } = await endpoint(undefined, { cacheFor: '1 ms' })
    await accessToken('icfg_1')
    await vi.waitFor(async () => expect(await accessToken('icfg_1')).not.toBe(`${TOKEN}-1`))
  })

  test('that Vercel refused is asked for at once, and once by all who were refused', async () => {
    const { received, accessToken } = await endpoint()
    const refused = await accessToken('icfg_1')
    const tokens = await Promise.all(
      Array.from({ length: 20 }, () => accessToken('icfg_1', refused)),
    )
    expect(new Set(tokens)).toEqual(new Set([`${TOKEN}-2`]))
    expect(await accessToken('icfg_1')).toBe(`${TOKEN}-2`)
    expect(received).toHaveLength(2)
  })

  test('that Vercel refused and the endpoint still has is given, and asked for by each who was refused', async () => {
    const { received, accessToken } = await endpoint(json(200, { access_token: TOKEN }))
    await accessToken('icfg_1')
    for (let time = 0; time < 2; time++) expect(await accessToken('icfg_1', TOKEN)).toBe(TOKEN)
    expect(received).toHaveLength(3)
  })
})

describe('a failure names the installation and what to do, is not kept, and shows no secret', () => {
  const page: Answer = (response) => response.writeHead(200).end(`<html>${TOKEN}`)
  const long: Answer = (response) => response.writeHead(200).end(TOKEN.repeat(10_000))

  test.each<[string, Answer, string, boolean]>([
    ['404', json(404, { access_token: TOKEN }), 'access_token_unknown', false],
    ['401', json(401, { error: TOKEN }), 'access_token_endpoint_refused', false],
    ['403', json(403, {}), 'access_token_endpoint_refused', false],
    ['500', json(500, { error: TOKEN }), 'access_token_unavailable', true],
    ['429', json(429, {}), 'access_token_unavailable', true],
    ['400', json(400, { error: TOKEN }), 'access_token_unavailable', false],
    ['204', json(204, undefined), 'access_token_unavailable', false],
    ['no token', json(200, { token: TOKEN }), 'access_token_unreadable', false],
    ['an empty token', json(200, { access_token: '' }), 'access_token_unreadable', false],
    ['two words', json(200, { access_token: `${TOKEN} x` }), 'access_token_unreadable', false],
    ['a line break', json(200, { access_token: `${TOKEN}\n` }), 'access_token_unreadable', false],
    ['a number', json(200, { access_token: 7 }), 'access_token_unreadable', false],
    ['no JSON', page, 'access_token_unreadable', false],
    ['far too much', long, 'access_token_unavailable', true],
    ['nothing', (response) => response.destroy(), 'access_token_unavailable', true],
  ])('%s', async (_, answer, code, retryable) => {
    let broken = true
    const { accessToken, source } = await endpoint((response, request) =>
      (broken ? answer : json(200, { access_token: 'good' }))(response, request),
    )
    const failure = await accessToken('icfg_1').then(
      () => undefined,
      (error: unknown) => error as ActionFailure,
    )
    expect(failure).toMatchObject({ code, retryable })
    expect(failure?.message).toContain('icfg_1')
    expect(inspect([failure, source], { depth: 9, showHidden: true })).not.toMatch(
      /token-that|endpoint-secret/,
    )
    broken = false
    expect(await accessToken('icfg_1')).toBe('good')
  })

  test('nobody there, or no answer in time', async () => {
    const dead = open(fromEndpoint({ url: await deadUrl(), secret }))
    await expect(dead('icfg_1')).rejects.toMatchObject({
      code: 'access_token_unavailable',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    })
    const { accessToken } = await endpoint(() => {}, { timeout: '50 ms' })
    await expect(accessToken('icfg_1')).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('none within 50 ms'),
    })
  })

  test('a redirect is not followed', async () => {
    const elsewhere = await smallServer(json(200, { access_token: TOKEN }))
    const { accessToken } = await endpoint(json(302, {}, { location: elsewhere.url }))
    await expect(accessToken('icfg_1')).rejects.toMatchObject({ retryable: false })
    expect(elsewhere.received).toEqual([])
  })
})

describe('an option that cannot be used is named, and not shown where it may be secret', () => {
  const url = 'https://provider.example/tokens'
  test.each<[string, Partial<TokenEndpoint>]>([
    ['url', { url: 'http://provider.example/hunter2' }],
    ['url', { url: 'https://me:hunter2@provider.example' }],
    ['url', { url: 'hunter2' }],
    ['url', { url: 'ftp://hunter2' }],
    ['secret', { secret: undefined }],
    ['secret', { secret: ' , ' }],
    ['cacheFor', { cacheFor: 'soon' }],
    ['timeout', { timeout: '-1 s' }],
  ])('%s of %j', (option, changes) => {
    const refused = () => fromEndpoint({ url, secret, ...changes })
    expect(refused).toThrow(TypeError)
    expect(refused).toThrow(`fromEndpoint({ ${option} })`)
    expect(refused).not.toThrow('hunter2')
  })

  test.each([url, 'http://localhost:4000', 'http://127.0.0.1/x', 'http://[::1]:1'])(
    '%s can be used',
    (good) => {
      expect(fromEndpoint({ url: good, secret }).name).toContain(new URL(good).host)
    },
  )
})

describe('the check-up', () => {
  test.each<[string, Answer, 'ok' | 'error']>([
    ['does not know an installation that never was', json(404, {}), 'ok'],
    ['has a token for it', json(200, { access_token: TOKEN }), 'error'],
    ['refuses the signature', json(401, {}), 'error'],
    ['is broken', json(500, {}), 'error'],
  ])('of an endpoint that %s', async (_, answer, level) => {
    const { source } = await endpoint(answer)
    const findings = await source.check?.()
    expect(findings).toMatchObject([{ subject: 'Access tokens', level }])
    expect(findings?.[0]?.fix === undefined).toBe(level === 'ok')
    expect(JSON.stringify(findings)).not.toContain(TOKEN)
  })
})
