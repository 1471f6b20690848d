import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../../src/domain/secret.ts'
import { signRequest } from '../../../src/signing/sign-request.ts'
import { verifyHttpDriverRequest } from '../../../src/index.ts'

const secret = 'a-secret-for-the-test-vector-only'
const signedAtMs = 1_767_225_600_000
const now = new Date(signedAtMs)
const content = { method: 'PUT', path: '/branches/hp_x?a=%2F', body: '{"source":"shop"}' }

function signedBy(...secrets: string[]) {
  return signRequest(
    content,
    secrets.map((each) => new Secret(each)),
    signedAtMs,
  )
}

const owner =
  '{"installationId":"icfg_1","resourceId":"shop","deploymentId":"dpl_abc","action":"branch"}'

describe('the vectors of docs/http-driver.md, which OpenSSL has made,', () => {
  test.each([
    {
      method: 'GET',
      path: '/holdpoint/branches?cursor=a%2Fb+c',
      body: '',
      signature: 'd7d39a91f0ecb4fd775be4d950a811d2156a048765b47923e533aea2041fd9bd',
    },
    {
      method: 'DELETE',
      path: '/holdpoint/branches/hp_dpl_abc_0123456789abcdef0123456789abcdef',
      body: `{"owner":${owner}}`,
      signature: '7e0f88f420b0f1567cf7ca65f9ac06f622ed120212fa7b09f00369a30504f504',
    },
  ])('are made and verified: $method', async ({ signature, ...request }) => {
    const headers = signRequest(request, [new Secret(secret)], signedAtMs)
    expect(headers).toEqual({
      'holdpoint-timestamp': '1767225600',
      'holdpoint-signature': `v1=${signature}`,
    })
    expect(verifyHttpDriverRequest({ ...request, headers }, { secret, now })).toBe(true)
    const text = await readFile(new URL('../../../docs/http-driver.md', import.meta.url), 'utf8')
    expect(text).toContain(`v1=${signature}`)
    expect(text).toContain(`${request.method} ${request.path}`)
    expect(text).toContain(request.body)
  })
})

describe('a request is taken', () => {
  test.each([-300, -1, 0, 299])('that was signed %i seconds from now', (seconds) => {
    const then = new Date(signedAtMs - seconds * 1000)
    const headers = signedBy(secret)
    expect(verifyHttpDriverRequest({ ...content, headers }, { secret, now: then })).toBe(true)
  })

  test('while either side rotates the secret', () => {
    const both = signedBy('the new secret', secret)
    expect(verifyHttpDriverRequest({ ...content, headers: both }, { secret, now })).toBe(true)
    const rotating = { secret: `the new secret, ${secret}`, now }
    const headers = signedBy(secret)
    expect(verifyHttpDriverRequest({ ...content, headers }, rotating)).toBe(true)
  })

  test('whether its body is given as text or as bytes', () => {
    const body = Buffer.from(content.body)
    const request = { ...content, body, headers: signedBy(secret) }
    expect(verifyHttpDriverRequest(request, { secret, now })).toBe(true)
  })
})

describe('a request is refused', () => {
  test.each([301, 86_400, -301])('that is replayed %i seconds later', (seconds) => {
    const then = new Date(signedAtMs + seconds * 1000)
    const headers = signedBy(secret)
    expect(verifyHttpDriverRequest({ ...content, headers }, { secret, now: then })).toBe(false)
  })

  test.each([
    ['another method', { method: 'DELETE' }],
    ['another path', { path: '/branches/hp_y?a=%2F' }],
    ['another query', { path: '/branches/hp_x?a=/' }],
    ['another body', { body: '{"source":"shop"} ' }],
    ['no body', { body: '' }],
  ])('whose signature was made for %s', (_what, changes) => {
    const request = { ...content, headers: signedBy(secret), ...changes }
    expect(verifyHttpDriverRequest(request, { secret, now })).toBe(false)
  })

  test('whose timestamp was made younger than its signature', () => {
    const later = new Date(signedAtMs + 3_600_000)
    const headers = { ...signedBy(secret), 'holdpoint-timestamp': String(later.getTime() / 1000) }
    expect(verifyHttpDriverRequest({ ...content, headers }, { secret, now: later })).toBe(false)
  })

  test('of another secret, and of one that was retired', () => {
    const headers = signedBy('the old secret')
    expect(verifyHttpDriverRequest({ ...content, headers }, { secret, now })).toBe(false)
  })

  test.each<[string, string | undefined, string | string[] | undefined]>([
    ['no headers', undefined, undefined],
    ['no timestamp', undefined, 'v1=' + '0'.repeat(64)],
    ['a timestamp that is no number', '1767225600x', 'v1=' + '0'.repeat(64)],
    ['an endless timestamp', '9'.repeat(400), 'v1=' + '0'.repeat(64)],
    ['no signature', '1767225600', undefined],
    ['an empty signature', '1767225600', ''],
    ['several headers', '1767225600', ['v1=' + '0'.repeat(64)]],
    ['half a signature', '1767225600', 'v1=' + '0'.repeat(32)],
    ['a signature of another version', '1767225600', 'v2=' + '0'.repeat(64)],
    ['many commas', '1767225600', ','.repeat(10_000)],
  ])('that has %s', (_what, timestamp, signature) => {
    const headers = { 'holdpoint-timestamp': timestamp, 'holdpoint-signature': signature }
    expect(verifyHttpDriverRequest({ ...content, headers }, { secret, now })).toBe(false)
  })

  test('by a provider whose secret is empty, whatever it was signed with', () => {
    for (const none of ['', ' , '])
      expect(
        verifyHttpDriverRequest({ ...content, headers: signedBy('') }, { secret: none, now }),
      ).toBe(false)
  })
})
