import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import { type OidcIssuer, startOidcIssuer } from './oidc-issuer.ts'
import { partnerUnderTest, type PartnerUnderTest } from './partner-under-test.ts'
import { FREE, OLD, PRO, TEAM } from './products-under-test.ts'

const ID = 'icfg_1'

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
})

const plans = (path: string, token = system) => partner.call('GET', path, { token })

describe('the plans of a product', () => {
  test('are the listed ones, also before there is an installation', async () => {
    const nobody = await issuer.system(null)
    expect(await plans('/v1/products/postgres/plans', nobody)).toEqual({
      status: 200,
      body: { plans: [FREE, PRO, OLD, TEAM] },
    })
    expect(await plans('/v1/products/plain/plans', nobody)).toEqual({
      status: 200,
      body: { plans: [] },
    })
  })

  test('are asked for with what the customer filled in so far, and keep what Vercel may know beyond us', async () => {
    const plan = { ...PRO, highlightedDetails: [{ label: 'Größe' }] }
    partner.plans.plansAnswer = () => [plan]
    const metadata = encodeURIComponent(JSON.stringify({ region: 'fra1 & more' }))
    expect(await plans(`/v1/products/asked/plans?metadata=${metadata}`)).toEqual({
      status: 200,
      body: { plans: [plan] },
    })
    await plans('/v1/products/asked/plans')
    expect(partner.plans.planRequests).toEqual([{ metadata: { region: 'fra1 & more' } }, {}])
  })

  test.each(['{', '[]', '7', 'null', ''])(
    'are not shown for metadata that is no JSON object: %j',
    async (metadata) => {
      const path = `/v1/products/asked/plans?metadata=${encodeURIComponent(metadata)}`
      expect(await plans(path)).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request', fields: [{ key: 'metadata' }] } },
      })
      expect(partner.plans.planRequests).toEqual([])
    },
  )

  test('of no product are not found', async () => {
    expect(await plans('/v1/products/other/plans')).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found' } },
    })
  })

  test('that are none are not shown, and the log names the product', async () => {
    partner.plans.plansAnswer = () => [{ id: 'pro', type: 'gift' }]
    expect(await plans('/v1/products/asked/plans')).toMatchObject({
      status: 500,
      body: { error: { code: 'internal' } },
    })
    expect(partner.logged()).toMatch(/product asked .*type/)
  })

  test('that cannot be told now may be asked for again', async () => {
    partner.plans.plansAnswer = () => {
      throw new ActionFailure('away', 'The price list is away.', { retryable: true })
    }
    expect((await plans('/v1/products/asked/plans')).status).toBe(503)
  })
})

test('the plans of an installation are those of all products that are chosen once for it', async () => {
  expect(await plans(`/v1/installations/${ID}/plans`)).toEqual({
    status: 200,
    body: { plans: [TEAM] },
  })
  expect(partner.plans.planRequests).toEqual([{ installationId: ID }])
})

describe('the plans of a resource', () => {
  const path = `/v1/installations/${ID}/resources/db_1/plans`

  test('are those of its product, asked for with what is known of it', async () => {
    const metadata = { region: 'iad1' }
    await partner.stored(ID, 'db_1', { productId: 'asked', metadata })
    expect(await plans(path)).toEqual({ status: 200, body: { plans: [PRO] } })
    expect(partner.plans.planRequests).toEqual([
      { installationId: ID, resourceId: 'db_1', metadata },
    ])
  })

  test('are not found when it is not there, and refused when its product is not declared any more', async () => {
    expect((await plans(path)).status).toBe(404)
    await partner.stored(ID, 'db_1', { productId: 'former' })
    expect(await plans(path)).toMatchObject({
      status: 409,
      body: { error: { code: 'product_unknown' } },
    })
  })
})
