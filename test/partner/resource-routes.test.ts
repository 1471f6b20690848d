import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import { resourceIdFor } from '../../src/domain/resource-key.ts'
import { PASSWORD } from './fake-resource-door.ts'
import { type OidcIssuer, startOidcIssuer } from './oidc-issuer.ts'
import { partnerUnderTest, type PartnerUnderTest } from './partner-under-test.ts'
import { FREE, OLD, PRO, TEAM } from './products-under-test.ts'

const ID = 'icfg_1'
const RESOURCES = `/v1/installations/${ID}/resources`
const WANTED = {
  productId: 'postgres',
  name: 'Shop',
  metadata: { region: 'fra1' },
  billingPlanId: 'free',
}
const SECRETS = [{ name: 'DATABASE_URL', value: `postgres://app-1:${PASSWORD}@db.example.com/app` }]

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
  await partner.installed(ID)
})

const provision = (changes: object = {}, key?: string) =>
  partner.call('POST', RESOURCES, {
    token: user,
    body: { ...WANTED, ...changes },
    ...(key !== undefined && { key }),
  })
const read = (id: string) => partner.call('GET', `${RESOURCES}/${id}`, { token: system })
const change = (id: string, body: object) =>
  partner.call('PATCH', `${RESOURCES}/${id}`, { token: user, body })
const remove = (id: string, request: object = {}) =>
  partner.call('DELETE', `${RESOURCES}/${id}`, { token: user, ...request })
const kept = () => partner.store.listResources(ID)

const refused = (status: number, code: string, user?: string) => ({
  status,
  body: { error: { code, ...(user !== undefined && { user: { message: user } }) } },
})

describe('a resource that is wanted', () => {
  test('is provisioned and answered with its plan and secrets, under an id of this request', async () => {
    const id = resourceIdFor(ID, 'request-1')
    const protocolSettings = { experimentation: { edgeConfigSyncingEnabled: true } }
    const resource = {
      id,
      productId: 'postgres',
      name: 'Shop',
      metadata: { region: 'fra1', size: 1 },
      status: 'ready',
      billingPlan: FREE,
      protocolSettings,
    }
    expect(await provision({ protocolSettings }, 'request-1')).toEqual({
      status: 200,
      body: { ...resource, secrets: SECRETS },
    })
    expect(await read(id)).toEqual({ status: 200, body: resource })
    expect(partner.door.asked).toEqual([{ provision: { installationId: ID, resourceId: id } }])
  })

  test('needs neither metadata nor plan where its product asks for none, and may have null for them', async () => {
    const nothing = { metadata: null, billingPlanId: null, protocolSettings: null }
    const { status, body } = await provision({ productId: 'plain', ...nothing })
    expect(status).toBe(200)
    expect(body).not.toHaveProperty('billingPlan')
    expect(await kept()).toMatchObject([{ productId: 'plain', metadata: {}, status: 'ready' }])
    const whole = { productId: 'plain', metadata: { anything: [1] } }
    expect(await provision({ ...whole, billingPlanId: undefined })).toMatchObject({
      status: 200,
      body: { metadata: { anything: [1] } },
    })
  })

  test('needs no plan of its own where plans are the installation’s, and shows the one that it names', async () => {
    const shared = { productId: 'shared', billingPlanId: undefined }
    expect((await provision(shared)).body).not.toHaveProperty('billingPlan')
    expect((await provision({ ...shared, billingPlanId: 'team' })).body).toMatchObject({
      billingPlan: TEAM,
    })
  })

  test('is another one for another request, with a key or without', async () => {
    const answers = [
      await provision({}, 'request-1'),
      await provision({}, 'request-2'),
      await provision(),
      await provision(),
    ]
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(4)
    expect(await kept()).toHaveLength(4)
  })

  test('that takes longer is pending, without secrets', async () => {
    partner.door.progress = { kind: 'goes-on' }
    const { status, body } = await provision()
    expect([status, body['status']]).toEqual([200, 'pending'])
    expect(body).not.toHaveProperty('secrets')
    expect(await read(String(body['id']))).toMatchObject({ body: { status: 'pending' } })
  })

  test('that is given up is not kept, and the customer is told why', async () => {
    partner.door.progress = { kind: 'failed', message: 'There is no room in fra1.' }
    expect(await provision()).toMatchObject(refused(409, 'given_up', 'There is no room in fra1.'))
    expect(await kept()).toEqual([])
  })

  test('while an earlier one of that request is still at work is not begun, and may be asked for again', async () => {
    partner.door.progress = { kind: 'busy' }
    expect(await provision({}, 'request-1')).toMatchObject(refused(409, 'resource_busy'))
    expect(await kept()).toEqual([])
    partner.door.progress = { kind: 'done' }
    expect(await provision({}, 'request-1')).toMatchObject({ status: 200 })
  })

  test('is not begun for an installation that is unknown or being removed', async () => {
    const other = '/v1/installations/icfg_2/resources'
    const token = await issuer.user('icfg_2')
    const request = { token, body: WANTED }
    expect(await partner.call('POST', other, request)).toMatchObject(refused(404, 'not_found'))
    await partner.installed('icfg_2', { state: 'removing' })
    expect(await partner.call('POST', other, request)).toMatchObject(
      refused(409, 'installation_removing'),
    )
    expect(await partner.store.listResources('icfg_2')).toEqual([])
    expect(partner.door.asked).toEqual([])
  })
})

describe('a request for a resource that comes again', () => {
  test('after its answer was lost is the same resource, and leaves what was done to it since', async () => {
    partner.door.failure = new ActionFailure('away', 'Temporal is away.', { retryable: true })
    expect((await provision({}, 'request-1')).status).toBe(503)
    partner.door.failure = undefined
    const id = resourceIdFor(ID, 'request-1')
    const later = await partner.stored(ID, id, { name: 'Renamed', reference: { generation: 7 } })
    const { status, body } = await provision({}, 'request-1')
    expect([status, body['id'], body['name'], body['status']]).toEqual([
      200,
      id,
      'Renamed',
      'ready',
    ])
    expect(await kept()).toEqual([later])
  })

  test('after it was transferred makes no second one', async () => {
    await partner.installed('icfg_2')
    await partner.stored('icfg_2', resourceIdFor(ID, 'request-1'))
    expect(await provision({}, 'request-1')).toMatchObject(refused(409, 'resource_transferred'))
    expect(partner.door.asked).toEqual([])
    expect(await kept()).toEqual([])
  })

  test('at the same moment is one resource', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => provision({}, 'request-1')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await kept()).toMatchObject([{ status: 'ready', reference: { generation: 1 } }])
  })
})

describe('what cannot be provisioned is refused with the name of the field, and nothing is kept', () => {
  test.each([
    [{ productId: undefined }, 'productId'],
    [{ productId: 'other' }, 'productId'],
    [{ name: undefined }, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'a\0b' }, 'name'],
    [{ name: 'x'.repeat(501) }, 'name'],
    [{ metadata: [] }, 'metadata'],
    [{ metadata: { region: 'mars' } }, 'metadata.region'],
    [{ metadata: { region: 'fra1', size: 1.5 } }, 'metadata.size'],
    [{ metadata: null }, 'metadata.region'],
    [{ billingPlanId: undefined }, 'billingPlanId'],
    [{ billingPlanId: 'dear' }, 'billingPlanId'],
    [{ billingPlanId: OLD.id }, 'billingPlanId'],
    [{ protocolSettings: 'all' }, 'protocolSettings'],
    [{ productId: 'plain', billingPlanId: 'free' }, 'billingPlanId'],
  ])('%j', async (changes, field) => {
    expect(await provision(changes)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', fields: [{ key: field }] } },
    })
    expect(await kept()).toEqual([])
    expect(partner.door.asked).toEqual([])
  })

  test('a plan that its product does not have for these metadata', async () => {
    partner.plans.plansAnswer = () => [FREE]
    const metadata = { small: true }
    expect(await provision({ productId: 'asked', metadata, billingPlanId: 'pro' })).toMatchObject(
      refused(400, 'bad_request'),
    )
    expect(partner.plans.planRequests).toEqual([{ installationId: ID, metadata }])
  })
})

describe('a resource', () => {
  test('of any id is found, however it is encoded in the path', async () => {
    const id = 'a/b c%2F?ü+'
    await partner.stored(ID, id)
    for (const path of [encodeURIComponent(id), 'a%2fb%20c%252F%3F%C3%BC%2B'])
      expect(await read(path)).toMatchObject({ status: 200, body: { id } })
    expect(await remove(encodeURIComponent(id))).toEqual({ status: 204, body: {} })
    expect(await kept()).toEqual([])
  })

  test('that is not there is not found, nor is one whose id cannot be', async () => {
    expect(await read('db_1')).toMatchObject(refused(404, 'not_found'))
    expect(await change('db_1', { name: 'B' })).toMatchObject(refused(404, 'not_found'))
    for (const id of ['a%00b', 'x'.repeat(501)])
      expect(await read(id)).toMatchObject({ body: { error: { fields: [{ key: 'resourceId' }] } } })
  })

  test('is shown without a plan where its product does not have it any more, or is gone itself', async () => {
    await partner.stored(ID, 'db_1', { billingPlanId: 'former' })
    await partner.stored(ID, 'db_2', { productId: 'former' })
    for (const id of ['db_1', 'db_2']) {
      const { status, body } = await read(id)
      expect([status, body['id'], body['billingPlan']]).toEqual([200, id, undefined])
    }
  })

  test('is never shown with its secrets but to who provisions it, nor are they logged', async () => {
    const { body } = await provision()
    const id = String(body['id'])
    expect(JSON.stringify(body)).toContain(PASSWORD)
    const shown = [await read(id), await change(id, { name: 'B' })]
    await change(id, { name: 7 })
    partner.door.failure = new Error('broken')
    await change(id, { name: 'C' })
    expect(JSON.stringify(shown)).not.toContain(PASSWORD)
    expect(partner.logged()).toContain('broken')
    expect(partner.logged()).not.toContain(PASSWORD)
  })
})

describe('a change', () => {
  beforeEach(() => partner.stored(ID, 'db_1'))

  test('is asked for with what is wanted, and answered with what is then', async () => {
    const changes = {
      name: 'New',
      metadata: { region: 'iad1', size: 2 },
      billingPlanId: 'pro',
      protocolSettings: { a: 1 },
    }
    const { billingPlanId: _, ...shown } = changes
    expect(await change('db_1', { ...changes, status: 'suspended' })).toMatchObject({
      status: 200,
      body: { ...shown, billingPlan: PRO, status: 'ready' },
    })
    expect(partner.door.asked).toEqual([
      { change: { kind: 'update', changes }, of: { installationId: ID, resourceId: 'db_1' } },
    ])
    expect(await read('db_1')).toMatchObject({ body: { name: 'New', billingPlan: PRO } })
  })

  test('has the metadata as the product makes them', async () => {
    await change('db_1', { metadata: { region: 'iad1' } })
    expect(partner.door.asked).toMatchObject([
      { change: { changes: { metadata: { region: 'iad1', size: 1 } } } },
    ])
  })

  test('of nothing, or of the status alone, does nothing', async () => {
    for (const nothing of [{}, { status: 'suspended' }, { name: null, metadata: null }])
      expect(await change('db_1', nothing)).toMatchObject({
        status: 200,
        body: { status: 'ready', name: 'A database', billingPlan: FREE },
      })
    expect(partner.door.asked).toEqual([])
  })

  test('may keep a plan that is not offered any more, but not choose it', async () => {
    await partner.stored(ID, 'db_2', { billingPlanId: OLD.id })
    expect(await change('db_2', { name: 'New', billingPlanId: OLD.id })).toMatchObject({
      status: 200,
      body: { name: 'New', billingPlan: OLD },
    })
    expect(await change('db_1', { billingPlanId: OLD.id })).toMatchObject({ status: 400 })
  })

  test('that takes longer shows what is wanted, as pending', async () => {
    partner.door.progress = { kind: 'goes-on' }
    expect(await change('db_1', { name: 'New' })).toMatchObject({
      status: 200,
      body: { name: 'New', status: 'pending' },
    })
  })

  test('that is given up or not begun changes nothing, and says why', async () => {
    const before = await kept()
    partner.door.progress = { kind: 'failed', message: 'iad1 is full.' }
    expect(await change('db_1', { name: 'New' })).toMatchObject(
      refused(409, 'given_up', 'iad1 is full.'),
    )
    partner.door.progress = { kind: 'busy' }
    expect(await change('db_1', { name: 'New' })).toMatchObject(refused(409, 'resource_busy'))
    expect(await kept()).toEqual(before)
  })

  test('waits until the resource is provisioned, and ends with its installation or product', async () => {
    await partner.stored(ID, 'db_1', { status: 'pending' })
    expect(await change('db_1', { name: 'New' })).toMatchObject(refused(409, 'resource_pending'))
    await partner.stored(ID, 'db_1', { productId: 'former' })
    expect(await change('db_1', { name: 'New' })).toMatchObject(refused(409, 'product_unknown'))
    await partner.store.updateInstallation(ID, { state: 'removing' })
    expect(await change('db_1', { name: 'New' })).toMatchObject(
      refused(409, 'installation_removing'),
    )
    expect(partner.door.asked).toEqual([])
  })

  test.each([
    [{ name: '' }, 'name'],
    [{ name: 7 }, 'name'],
    [{ metadata: 'all' }, 'metadata'],
    [{ metadata: { region: 'mars' } }, 'metadata.region'],
    [{ billingPlanId: 'dear' }, 'billingPlanId'],
    [{ protocolSettings: [] }, 'protocolSettings'],
  ])(
    'to %j is refused with the name of the field, and nothing is changed',
    async (wrong, field) => {
      const before = await kept()
      expect(await change('db_1', { name: 'New', ...wrong })).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request', fields: [{ key: field }] } },
      })
      expect(await kept()).toEqual(before)
      expect(partner.door.asked).toEqual([])
    },
  )
})

describe('a removal', () => {
  test('takes the resource back, and is as done the second time', async () => {
    await partner.stored(ID, 'db_1')
    await partner.stored(ID, 'db_2')
    expect(await remove('db_1', { body: { cascadeResourceDeletion: true } })).toEqual({
      status: 204,
      body: {},
    })
    expect(await read('db_1')).toMatchObject(refused(404, 'not_found'))
    for (const request of [{}, { body: '' }, { token: system }])
      expect(await remove('db_1', request)).toEqual({ status: 204, body: {} })
    expect(partner.door.asked).toEqual([{ remove: { installationId: ID, resourceId: 'db_1' } }])
    expect(await kept()).toMatchObject([{ id: 'db_2' }])
  })

  test('works for a resource that is still being provisioned, and while its installation is removed', async () => {
    await partner.stored(ID, 'db_1', { status: 'pending', productId: 'former' })
    await partner.store.updateInstallation(ID, { state: 'removing' })
    expect(await remove('db_1')).toEqual({ status: 204, body: {} })
    expect(await kept()).toEqual([])
  })

  test('that cannot be begun is not done: it is to be asked for again', async () => {
    await partner.stored(ID, 'db_1')
    partner.door.failure = new ActionFailure('away', 'Temporal is away.', { retryable: true })
    expect((await remove('db_1')).status).toBe(503)
    partner.door.failure = undefined
    expect((await remove('db_1')).status).toBe(204)
  })
})
