import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OidcIssuer, startOidcIssuer } from './oidc-issuer.ts'
import { TEAM } from './products-under-test.ts'
import { partnerUnderTest, type PartnerUnderTest } from './partner-under-test.ts'

const ID = 'icfg_1'
const PATH = `/v1/installations/${ID}`
const TOKEN = 'token-of-the-installation'
const INSTALL = {
  scopes: ['read:deployment'],
  acceptedPolicies: { toc: '2026-01-01T00:00:00Z' },
  credentials: { access_token: TOKEN, token_type: 'Bearer' },
  account: { name: 'Team', url: 'https://vercel.com/team', contact: { email: 'a@example.com' } },
}

let issuer: OidcIssuer
let partner: PartnerUnderTest
let user: string
let system: string
beforeAll(async () => {
  issuer = await startOidcIssuer()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  partner = partnerUnderTest(issuer)
  user = await issuer.user(ID)
  system = await issuer.system(ID)
})

const install = (changes: object = {}) =>
  partner.call('PUT', PATH, { token: user, body: { ...INSTALL, ...changes } })

describe('an installation', () => {
  test('is known with its token once Vercel has put it, and may be put again with another', async () => {
    expect(await install()).toEqual({ status: 200, body: {} })
    expect((await partner.store.accessToken(ID))?.reveal()).toBe(TOKEN)
    const credentials = { access_token: 'another', token_type: 'Bearer' }
    expect(await install({ credentials })).toEqual({ status: 200, body: {} })
    expect((await partner.store.accessToken(ID))?.reveal()).toBe('another')
    expect(await partner.store.getInstallation(ID)).toMatchObject({
      scopes: INSTALL.scopes,
      account: INSTALL.account,
      state: 'active',
    })
  })

  test('keeps the plan that was chosen, when it is put again', async () => {
    await install()
    const plan = { billingPlan: TEAM }
    expect(
      await partner.call('PATCH', PATH, { token: user, body: { billingPlanId: 'team' } }),
    ).toEqual({ status: 200, body: plan })
    expect(await install()).toEqual({ status: 200, body: plan })
    expect(await partner.call('GET', PATH, { token: system })).toEqual({ status: 200, body: plan })
  })

  test('takes no plan that cannot be stored, or is not for installations', async () => {
    await install()
    for (const billingPlanId of ['', 'a\0b', 7, 'pro']) {
      expect(
        await partner.call('PATCH', PATH, { token: user, body: { billingPlanId } }),
      ).toMatchObject({ status: 400, body: { error: { fields: [{ key: 'billingPlanId' }] } } })
    }
    expect(await partner.store.getInstallation(ID)).not.toHaveProperty('billingPlanId')
  })

  test('that nobody put is not found', async () => {
    const found = { status: 404, body: { error: { code: 'not_found' } } }
    expect(await partner.call('GET', PATH, { token: system })).toMatchObject(found)
    const change = { token: user, body: { billingPlanId: 'pro' } }
    expect(await partner.call('PATCH', PATH, change)).toMatchObject(found)
  })

  test('is never shown with its token, nor is that logged', async () => {
    await install()
    const { body } = await partner.call('GET', PATH, { token: system })
    await install({ scopes: 'none' })
    await partner.call('PUT', PATH, { token: user, body: `{"access_token":"${TOKEN}"` })
    await partner.call('PUT', PATH, { token: 'x.y.z', body: INSTALL })
    expect(JSON.stringify(body)).not.toContain(TOKEN)
    expect(partner.logged()).not.toBe('')
    expect(partner.logged()).not.toContain(TOKEN)
  })
})

describe('what cannot be used is refused with the name of the field, and nothing is kept', () => {
  test.each([
    [{ scopes: undefined }, 'scopes'],
    [{ credentials: undefined }, 'credentials'],
    [{ credentials: { token_type: 'Bearer' } }, 'credentials.access_token'],
    [{ credentials: { access_token: 'a b', token_type: 'Bearer' } }, 'credentials.access_token'],
    [{ acceptedPolicies: { toc: 7 } }, 'acceptedPolicies.toc'],
  ])('%j', async (changes, field) => {
    expect(await install(changes)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', fields: [{ key: field }] } },
    })
    expect(await partner.store.getInstallation(ID)).toBeUndefined()
  })

  test.each(['', '{', '[]', 'null'])('the body %j', async (body) => {
    expect(await partner.call('PUT', PATH, { token: user, body })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request' } },
    })
  })

  test('a body over 256 KiB', async () => {
    expect(await install({ scopes: ['x'.repeat(300_000)] })).toMatchObject({
      status: 413,
      body: { error: { code: 'body_too_large' } },
    })
  })
})

describe('an uninstallation', () => {
  test('begins the removal, and says whether anything is left', async () => {
    await install()
    partner.removal = { finished: false }
    expect(
      await partner.call('DELETE', PATH, { token: user, body: { reason: 'too dear' } }),
    ).toEqual({ status: 200, body: { finalized: false } })
    partner.removal = { finished: true }
    // Vercel may send no body at all, or one of no bytes.
    for (const nothing of [{}, { body: '' }]) {
      expect(await partner.call('DELETE', PATH, { token: system, ...nothing })).toEqual({
        status: 200,
        body: { finalized: true },
      })
    }
    expect(partner.removals).toEqual([ID, ID, ID])
  })

  test('that the provider refuses changes nothing, and tells the customer why', async () => {
    await install()
    partner.refusal = 'Pay the last bill first.'
    expect(await partner.call('DELETE', PATH, { token: user })).toMatchObject({
      status: 409,
      body: { error: { code: 'removal_refused', user: { message: 'Pay the last bill first.' } } },
    })
    expect(partner.removals).toEqual([])
  })

  test('of what is gone already is done', async () => {
    expect(await partner.call('DELETE', PATH, { token: system })).toEqual({
      status: 200,
      body: { finalized: true },
    })
    expect(partner.removals).toEqual([])
  })

  test('that has begun is not undone by a late installation', async () => {
    await install()
    await partner.store.updateInstallation(ID, { state: 'removing' })
    expect(await install()).toMatchObject({
      status: 409,
      body: { error: { code: 'installation_removing' } },
    })
  })
})
