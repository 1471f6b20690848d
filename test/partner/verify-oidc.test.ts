import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { PartnerError } from '../../src/partner/partner-error.ts'
import { admit, oidcVerifier, type VerifyOidc } from '../../src/partner/verify-oidc.ts'
import { AUDIENCE, type OidcIssuer, startOidcIssuer, type TokenChanges } from './oidc-issuer.ts'

const INSTALLATION = 'icfg_1'

let issuer: OidcIssuer
let verify: VerifyOidc
beforeAll(async () => {
  issuer = await startOidcIssuer()
})
afterAll(() => issuer.close())
beforeEach(() => {
  verify = oidcVerifier({ issuer: issuer.url, audience: AUDIENCE })
})

/** How a token is taken: who calls, or the status and code of the refusal. */
async function taken(token: string | undefined, vercelAuth?: string): Promise<unknown> {
  const authorization = token === undefined ? undefined : `Bearer ${token}`
  return await verify({ authorization, vercelAuth }).catch(refusalOf)
}

function refusalOf(error: unknown): string {
  if (error instanceof PartnerError) return `${error.status} ${error.code}`
  throw error
}

describe('a token of Vercel tells who calls', () => {
  test('a member of the team, and of which installation', async () => {
    expect(await taken(await issuer.user(INSTALLATION), 'user')).toEqual({
      kind: 'user',
      installationId: INSTALLATION,
      accountId: 'a1',
      userId: 'u1',
    })
  })

  test.each([[INSTALLATION], [null]])('Vercel itself, for installation %s', async (id) => {
    expect(await taken(await issuer.system(id), 'system')).toEqual({
      kind: 'system',
      installationId: id ?? undefined,
    })
  })

  test('also without X-Vercel-Auth, and with null for every claim that may be null', async () => {
    const token = await issuer.system(null, { claims: { sub: null, account_id: null } })
    expect(await taken(token)).toEqual({ kind: 'system', installationId: undefined })
  })

  test('up to ten seconds after its expiry, as clocks differ', async () => {
    expect(await taken(await issuer.user(INSTALLATION, { expiresIn: -5 }))).toMatchObject({
      kind: 'user',
    })
  })
})

describe('a token proves nothing', () => {
  const wrong: Record<string, TokenChanges> = {
    'that is for another integration': { claims: { aud: 'oac_other' } },
    'without an audience': { claims: { aud: undefined } },
    'of another issuer': { claims: { iss: 'https://example.com' } },
    'without an issuer': { claims: { iss: undefined } },
    'that has expired': { expiresIn: -11 },
    'that never expires': { claims: { exp: undefined } },
    'that holds only later': { claims: { nbf: Math.floor(Date.now() / 1000) + 3600 } },
    'that is not signed': { alg: 'none' },
    'that is signed with the public key as a shared secret': { alg: 'HS256' },
    'that is signed with RS512': { alg: 'RS512' },
    'that is signed with PS256': { alg: 'PS256' },
    'of a key that nobody shows': { kid: 'unknown' },
    'of a stranger who uses the id of a known key': { stranger: true, kid: 'key-1' },
    'whose installation is no text': { claims: { installation_id: 7 } },
    'whose user is no text': { claims: { user_id: {} } },
    'of a user without an account': { claims: { account_id: null } },
  }
  test.each(Object.entries(wrong))('%s', async (_name, changes) => {
    expect(await taken(await issuer.user(INSTALLATION, changes))).toBe('401 unauthorized')
  })

  test.each([undefined, '', 'x.y.z', 'not a token'])('that is %j', async (token) => {
    expect(await taken(token)).toBe('401 unauthorized')
  })

  test('whose kind is not the one that X-Vercel-Auth says', async () => {
    expect(await taken(await issuer.user(INSTALLATION), 'system')).toBe('401 unauthorized')
    expect(await taken(await issuer.system(INSTALLATION), 'user')).toBe('401 unauthorized')
  })

  test('whose payload was changed after it was signed', async () => {
    const [header, payload = '', signature] = (await issuer.user(INSTALLATION)).split('.')
    const changed = Buffer.from(payload, 'base64url').toString().replace(INSTALLATION, 'icfg_2')
    const token = `${header}.${Buffer.from(changed).toString('base64url')}.${signature}`
    expect(await taken(token)).toBe('401 unauthorized')
  })
})

test('a caller may use the routes of its kind, and its own installation alone', async () => {
  const callers = [
    { kind: 'user', installationId: INSTALLATION, accountId: 'a1', userId: 'u1' },
    { kind: 'system', installationId: INSTALLATION },
    { kind: 'system', installationId: undefined },
  ] as const
  const routes = [
    { callers: ['user'], installationId: INSTALLATION },
    { callers: ['system'], installationId: INSTALLATION },
    { callers: ['user', 'system'], installationId: 'icfg_2' },
    { callers: ['system'], installationId: undefined },
  ] as const
  const verdict = (...[caller, route]: Parameters<typeof admit>) => {
    try {
      admit(caller, route)
      return 'in'
    } catch (error) {
      return refusalOf(error)
    }
  }
  const [kind, installation] = ['403 caller_not_allowed', '403 installation_not_allowed']
  expect(callers.map((caller) => routes.map((route) => verdict(caller, route)))).toEqual([
    ['in', kind, installation, kind],
    [kind, 'in', installation, 'in'],
    [kind, installation, installation, 'in'],
  ])
})

describe('keys', () => {
  test('are read once for many tokens', async () => {
    const before = issuer.keysRead()
    for (let call = 0; call < 5; call += 1) await taken(await issuer.user(INSTALLATION))
    expect(issuer.keysRead() - before).toBe(1)
  })

  test('of tokens that nobody signed are not asked for again and again', async () => {
    const before = issuer.keysRead()
    await taken(await issuer.user(INSTALLATION))
    for (let call = 0; call < 5; call += 1)
      await taken(await issuer.user(INSTALLATION, { kid: `made-up-${call}` }))
    expect(issuer.keysRead() - before).toBe(1)
  })

  test('that cannot be read refuse nobody for good: the request may come again', async () => {
    issuer.up = false
    expect(await taken(await issuer.user(INSTALLATION))).toBe('503 keys_unreadable')
    issuer.up = true
    expect(await taken(await issuer.user(INSTALLATION))).toMatchObject({ kind: 'user' })
  })

  test('that are rotated open the tokens of before and after', async () => {
    verify = oidcVerifier({ issuer: issuer.url, audience: AUDIENCE, keysCooldownMs: 0 })
    const before = await issuer.user(INSTALLATION)
    expect(await taken(before)).toMatchObject({ kind: 'user' })
    await issuer.rotate()
    const after = await issuer.user(INSTALLATION)
    expect(await taken(after)).toMatchObject({ kind: 'user' })
    expect(await taken(before)).toMatchObject({ kind: 'user' })
  })
})
