import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type OidcIssuer, startOidcIssuer } from './oidc-issuer.ts'
import { partnerUnderTest, type PartnerUnderTest } from './partner-under-test.ts'
import { FREE, PRO } from './products-under-test.ts'

const [FROM, TO, OTHER] = ['icfg_from', 'icfg_to', 'icfg_other']

let issuer: OidcIssuer
let partner: PartnerUnderTest
beforeAll(async () => {
  issuer = await startOidcIssuer()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  partner = partnerUnderTest(issuer)
  for (const id of [FROM, TO, OTHER]) await partner.installed(id)
  await partner.stored(FROM, 'db_1')
  await partner.stored(FROM, 'db_2')
})

const call = async (
  method: string,
  installation: string,
  path: string,
  request: { body?: unknown; key?: string } = {},
) => {
  const token = await issuer.system(installation)
  const transfers = `/v1/installations/${installation}/resource-transfer-requests`
  return await partner.call(method, `${transfers}${path}`, { token, ...request })
}
const offer = (changes: object = {}, installation = FROM) =>
  call('POST', installation, '', {
    body: { resourceIds: ['db_1'], expiresAt: Date.now() + 60_000, ...changes },
  })
const offered = async (changes: object = {}) =>
  String((await offer(changes)).body['providerClaimId'])
const verify = (claim: string, installation = TO) => call('GET', installation, `/${claim}/verify`)
const accept = (claim: string, installation = TO, request: { body?: unknown; key?: string } = {}) =>
  call('POST', installation, `/${claim}/accept`, request)
const resourcesOf = async (id: string) =>
  (await partner.store.listResources(id)).map((resource) => resource.id)
const refused = (status: number, code: string) => ({ status, body: { error: { code } } })

describe('an offer', () => {
  test('is known by a claim that nobody can guess', async () => {
    const [first, second] = [await offer(), await offer()]
    expect(first.status).toBe(200)
    for (const { body } of [first, second])
      expect(body).toEqual({ providerClaimId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(first.body).not.toEqual(second.body)
    expect(await resourcesOf(FROM)).toEqual(['db_1', 'db_2'])
  })

  test('of what the installation does not have, or has not quite yet, is refused', async () => {
    await partner.stored(OTHER, 'db_other')
    await partner.stored(FROM, 'db_3', { status: 'pending' })
    for (const id of ['db_other', 'db_none'])
      expect(await offer({ resourceIds: ['db_1', id] })).toMatchObject(refused(404, 'not_found'))
    expect(await offer({ resourceIds: ['db_3'] })).toMatchObject(refused(409, 'resource_pending'))
    await partner.store.updateInstallation(FROM, { state: 'removing' })
    expect(await offer()).toMatchObject(refused(409, 'installation_removing'))
    expect(await offer({}, 'icfg_unknown')).toMatchObject(refused(404, 'not_found'))
  })

  test.each([
    [{ resourceIds: undefined }, 'resourceIds'],
    [{ resourceIds: [] }, 'resourceIds'],
    [{ resourceIds: [7] }, 'resourceIds.0'],
    [{ resourceIds: ['a\0b'] }, 'resourceIds.0'],
    [{ expiresAt: undefined }, 'expiresAt'],
    [{ expiresAt: '2099-01-01' }, 'expiresAt'],
    [{ expiresAt: Date.now() - 1 }, 'expiresAt'],
  ])('with %j is refused with the name of the field', async (changes, field) => {
    expect(await offer(changes)).toMatchObject({
      status: 400,
      body: { error: { fields: [{ key: field }] } },
    })
  })
})

describe('the verification of an offer', () => {
  test('tells in both documented forms the plan that all of it has', async () => {
    const { id, cost } = FREE
    expect(await verify(await offered({ resourceIds: ['db_1', 'db_2'] }))).toEqual({
      status: 200,
      body: { valid: true, newBillingPlan: FREE, billingPlan: { id, cost } },
    })
    await partner.stored(FROM, 'db_3', { billingPlanId: 'pro' })
    expect((await verify(await offered({ resourceIds: ['db_3'] }))).body).toEqual({
      valid: true,
      newBillingPlan: PRO,
      billingPlan: { id: 'pro' },
    })
  })

  test('tells of no plan where there is none, or more than one', async () => {
    await partner.stored(FROM, 'db_3', { billingPlanId: 'pro' })
    await partner.stored(FROM, 'db_4', { productId: 'plain' })
    for (const resourceIds of [['db_4'], ['db_1', 'db_3'], ['db_1', 'db_4'], ['db_4', 'db_1']])
      expect((await verify(await offered({ resourceIds }))).body).toEqual({ valid: true })
  })

  test('changes nothing, and may be repeated', async () => {
    const claim = await offered()
    expect(await verify(claim)).toEqual(await verify(claim))
    expect(await resourcesOf(FROM)).toEqual(['db_1', 'db_2'])
    expect((await accept(claim)).status).toBe(204)
  })
})

describe('an offer that is accepted', () => {
  test('moves just what was offered, in both documented forms', async () => {
    const team = { targetInstallationId: TO, targetTeamId: 'team_1' }
    expect(await accept(await offered())).toEqual({ status: 204, body: {} })
    expect(await accept(await offered({ resourceIds: ['db_2'] }), TO, { body: team })).toEqual({
      status: 200,
      body: { success: true },
    })
    expect(await resourcesOf(FROM)).toEqual([])
    expect(await resourcesOf(TO)).toEqual(['db_1', 'db_2'])
  })

  test('is as accepted the second time, after a lost answer, with and without a key', async () => {
    const claim = await offered()
    await partner.store.acceptTransferRequest(claim, TO, Date.now())
    for (const request of [{}, { key: 'request-1' }, { key: 'request-1' }, { body: '' }])
      expect(await accept(claim, TO, request)).toMatchObject({ status: 204 })
    expect(await resourcesOf(TO)).toEqual(['db_1'])
  })

  test('is nobody else’s any more', async () => {
    const claim = await offered()
    await accept(claim)
    expect(await accept(claim, OTHER)).toMatchObject(refused(404, 'not_found'))
    for (const installation of [TO, OTHER])
      expect(await verify(claim, installation)).toMatchObject(refused(404, 'not_found'))
    expect(await resourcesOf(TO)).toEqual(['db_1'])
  })

  test('by another installation than the path names is not accepted', async () => {
    const body = { targetInstallationId: OTHER, targetTeamId: 'team_1' }
    expect(await accept(await offered(), TO, { body })).toMatchObject({
      status: 400,
      body: { error: { fields: [{ key: 'targetInstallationId' }] } },
    })
    expect(await resourcesOf(FROM)).toEqual(['db_1', 'db_2'])
  })
})

describe('nothing moves, and the verification says so too', () => {
  const bothRefuse = async (claim: string, installation: string, ...how: [number, string]) => {
    expect(await verify(claim, installation)).toMatchObject(refused(...how))
    expect(await accept(claim, installation)).toMatchObject(refused(...how))
    expect(await resourcesOf(TO)).toEqual([])
    expect(await resourcesOf(OTHER)).toEqual([])
  }

  test('when the claim is unknown or expired', async () => {
    await bothRefuse('no-claim', TO, 404, 'not_found')
    const expiresAt = Date.now() + 150
    const claim = await offered({ expiresAt })
    await vi.waitUntil(() => Date.now() >= expiresAt)
    await bothRefuse(claim, TO, 404, 'not_found')
  })

  test('when the installation offers it itself', async () => {
    await bothRefuse(await offered(), FROM, 409, 'transfer_to_itself')
    expect(await resourcesOf(FROM)).toEqual(['db_1', 'db_2'])
  })

  test('when either installation is being removed, or the accepting one is unknown', async () => {
    const claim = await offered()
    await bothRefuse(claim, 'icfg_unknown', 404, 'not_found')
    await partner.store.updateInstallation(OTHER, { state: 'removing' })
    await bothRefuse(claim, OTHER, 409, 'installation_removing')
    await partner.store.updateInstallation(FROM, { state: 'removing' })
    await bothRefuse(claim, TO, 404, 'not_found')
  })

  test('while something of it is not quite there', async () => {
    const claim = await offered()
    await partner.stored(FROM, 'db_1', { status: 'pending' })
    await bothRefuse(claim, TO, 409, 'resource_pending')
  })

  test('when nothing of it is left', async () => {
    const claim = await offered()
    await partner.store.removeResource(FROM, 'db_1')
    await bothRefuse(claim, TO, 404, 'not_found')
  })
})
