import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { PASSWORD } from './fake-resource-door.ts'
import { type OidcIssuer, startOidcIssuer } from './oidc-issuer.ts'
import { type Call, partnerUnderTest, type PartnerUnderTest } from './partner-under-test.ts'

const ID = 'icfg_1'
const HOUR_MS = 3_600_000

let issuer: OidcIssuer
let partner: PartnerUnderTest
let system: string
beforeAll(async () => {
  issuer = await startOidcIssuer()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  partner = partnerUnderTest(issuer)
  system = await issuer.system(ID)
  await partner.installed(ID)
  await partner.stored(ID, 'db_1')
})

const rotate = (request: Call = {}, id = 'db_1') =>
  partner.call('POST', `/v1/installations/${ID}/resources/${id}/secrets/rotate`, {
    token: system,
    ...request,
  })
const secretsOf = (generation: string) => [
  {
    name: 'DATABASE_URL',
    value: `postgres://app-${generation}:${PASSWORD}@db.example.com/app`,
  },
]

describe('a rotation', () => {
  test('is the one of its request, and answers the new secrets', async () => {
    expect(await rotate({ key: 'request-1' })).toEqual({
      status: 200,
      body: { sync: true, secrets: secretsOf('request-1') },
    })
    expect(partner.door.asked).toEqual([
      {
        change: { kind: 'rotation', rotationId: 'request-1', keepOldMs: 24 * HOUR_MS },
        of: { installationId: ID, resourceId: 'db_1' },
      },
    ])
    expect(partner.logged()).not.toContain(PASSWORD)
  })

  test('is one of its own each time where requests have no key', async () => {
    const token = await issuer.user(ID)
    const answers = [await rotate(), await rotate({ token })]
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(2)
  })

  test.each([
    [0, 0],
    [720, 720 * HOUR_MS],
    [0.5, HOUR_MS / 2],
    [1 / 3, HOUR_MS / 3],
    [null, 24 * HOUR_MS],
  ])('keeps the old secrets for as long as Vercel says: %s hours', async (hours, keepOldMs) => {
    const body = { reason: 'leaked', delayOldSecretsExpirationHours: hours }
    expect((await rotate({ body })).status).toBe(200)
    expect(partner.door.asked).toMatchObject([{ change: { keepOldMs } }])
  })

  test('that takes longer is told so, without secrets', async () => {
    partner.door.progress = { kind: 'goes-on' }
    expect(await rotate({ body: '' })).toEqual({ status: 202, body: { sync: false } })
  })

  test('that is given up or not begun says why', async () => {
    partner.door.progress = { kind: 'failed', message: 'The database is down.' }
    expect(await rotate()).toMatchObject({
      status: 409,
      body: { error: { code: 'given_up', user: { message: 'The database is down.' } } },
    })
    partner.door.progress = { kind: 'busy' }
    expect(await rotate()).toMatchObject({
      status: 409,
      body: { error: { code: 'resource_busy' } },
    })
  })

  test.each(['-1', '721', '"1"', '1e400'])(
    'with a delay of %s is refused with the name of the field, and is not begun',
    async (hours) => {
      const body = `{"delayOldSecretsExpirationHours":${hours}}`
      expect(await rotate({ body })).toMatchObject({
        status: 400,
        body: { error: { fields: [{ key: 'delayOldSecretsExpirationHours' }] } },
      })
      expect(partner.door.asked).toEqual([])
    },
  )

  test('is refused where the product has none, where there is nothing to rotate, and once its installation goes', async () => {
    await partner.stored(ID, 'db_2', { productId: 'plain' })
    await partner.stored(ID, 'db_3', { status: 'pending' })
    const code = async (id: string) => {
      const { status, body } = await rotate({}, id)
      return [status, (body['error'] as { code: string }).code]
    }
    expect(await code('db_2')).toEqual([409, 'rotation_unsupported'])
    expect(await code('db_3')).toEqual([409, 'resource_pending'])
    expect(await code('db_4')).toEqual([404, 'not_found'])
    await partner.store.updateInstallation(ID, { state: 'removing' })
    expect(await code('db_1')).toEqual([409, 'installation_removing'])
    expect(partner.door.asked).toEqual([])
  })
})
