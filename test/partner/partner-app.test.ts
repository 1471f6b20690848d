import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { partnerApp } from '../../src/partner/partner-app.ts'
import { type OidcIssuer, startOidcIssuer } from './oidc-issuer.ts'
import { type Call, partnerUnderTest, type PartnerUnderTest } from './partner-under-test.ts'

const [ID, STRANGER] = ['icfg_1', 'icfg_2']
const ALL = [ID, STRANGER, 'icfg_3']
const INSTALLATION = '/v1/installations/:installationId'
const RESOURCE = `${INSTALLATION}/resources/:resourceId`
const TRANSFERS = `${INSTALLATION}/resource-transfer-requests`

interface Route {
  /** The kinds of token that it is for. */
  readonly callers: readonly ('user' | 'system')[]
  /** With which it is done. */
  readonly body?: object
  /** The token may be of any installation, as nothing of one is shown. */
  readonly anyInstallation?: true
  /** What it answers for a resource or claim that is another installation's. */
  readonly foreign?: number
}

const ROUTES: Readonly<Record<string, Route>> = {
  [`PUT ${INSTALLATION}`]: {
    callers: ['user'],
    body: { scopes: [], credentials: { access_token: 'another', token_type: 'Bearer' } },
  },
  [`GET ${INSTALLATION}`]: { callers: ['user', 'system'] },
  [`PATCH ${INSTALLATION}`]: { callers: ['user'], body: { billingPlanId: 'pro' } },
  [`DELETE ${INSTALLATION}`]: { callers: ['user', 'system'] },
  'GET /v1/products/:slug/plans': { callers: ['system'], anyInstallation: true },
  [`GET ${INSTALLATION}/plans`]: { callers: ['system'] },
  [`GET ${RESOURCE}/plans`]: { callers: ['system'], foreign: 404 },
  [`POST ${INSTALLATION}/resources`]: {
    callers: ['user'],
    body: { productId: 'plain', name: 'A' },
  },
  [`GET ${RESOURCE}`]: { callers: ['user', 'system'], foreign: 404 },
  [`PATCH ${RESOURCE}`]: { callers: ['user'], body: { name: 'B' }, foreign: 404 },
  // As if it were gone already.
  [`DELETE ${RESOURCE}`]: { callers: ['user', 'system'], foreign: 204 },
  [`POST ${RESOURCE}/secrets/rotate`]: { callers: ['user', 'system'], foreign: 404 },
  [`POST ${TRANSFERS}`]: {
    callers: ['system'],
    body: { resourceIds: ['db_stranger'], expiresAt: Date.now() + 60_000 },
    foreign: 404,
  },
  [`GET ${TRANSFERS}/:claimId/verify`]: { callers: ['system'], foreign: 404 },
  [`POST ${TRANSFERS}/:claimId/accept`]: { callers: ['system'], foreign: 404 },
}

let issuer: OidcIssuer
let partner: PartnerUnderTest
beforeAll(async () => {
  issuer = await startOidcIssuer()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  partner = partnerUnderTest(issuer)
  for (const id of ALL) await partner.installed(id)
  await partner.stored(ID, 'db_own')
  await partner.stored(STRANGER, 'db_stranger')
  for (const [claimId, from] of [
    ['claim-own', ID],
    ['claim-stranger', STRANGER],
  ] as const) {
    await partner.store.putTransferRequest({
      claimId,
      fromInstallationId: from,
      resourceIds: [from === ID ? 'db_own' : 'db_stranger'],
      expiresAtMs: Date.now() + 60_000,
    })
  }
})

/** Calls the route for an installation, with what is the stranger's in the path and body. */
const attempt = async (
  route: string,
  { installation = ID, ...call }: Call & { installation?: string },
) => {
  const [method = '', pattern = ''] = route.split(' ')
  const path = pattern
    .replace(':installationId', installation)
    .replace(':resourceId', 'db_stranger')
    .replace(':claimId', 'claim-stranger')
    .replace(':slug', 'plain')
  const { body } = ROUTES[route] ?? {}
  const { status } = await partner.call(method, path, { ...(body && { body }), ...call })
  return status
}

const everything = async () => ({
  installations: await partner.store.listInstallations(),
  tokens: await Promise.all(ALL.map(async (id) => (await partner.store.accessToken(id))?.reveal())),
  resources: await Promise.all(ALL.map((id) => partner.store.listResources(id))),
  claims: await Promise.all(
    ['claim-own', 'claim-stranger'].map((id) => partner.store.getTransferRequest(id)),
  ),
  removals: [...partner.removals],
  asked: [...partner.door.asked],
})

describe('no route', () => {
  test('is missing here', () => {
    const routes = partner.app.routes
      .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/v1/'))
      .map(({ method, path }) => `${method} ${path}`)
    expect([...new Set(routes)].sort()).toEqual(Object.keys(ROUTES).sort())
  })

  test('opens without a token, with one of another installation or of none, or of the wrong kind', async () => {
    const before = await everything()
    for (const [route, { callers, anyInstallation }] of Object.entries(ROUTES)) {
      const answers = async (token: string | undefined) => [
        route,
        await attempt(route, token === undefined ? {} : { token }),
        // Nor does a repeated request.
        await attempt(route, { key: 'a-key', ...(token !== undefined && { token }) }),
      ]
      expect(await answers(undefined)).toEqual([route, 401, 401])
      expect(await answers('x.y.z')).toEqual([route, 401, 401])
      for (const other of [STRANGER, null]) {
        for (const kind of ['user', 'system'] as const) {
          const open = anyInstallation && callers.includes(kind)
          const status = open ? 200 : 403
          expect(await answers(await issuer[kind](other))).toEqual([route, status, status])
        }
      }
      for (const kind of ['user', 'system'] as const) {
        if (!callers.includes(kind))
          expect(await answers(await issuer[kind](ID))).toEqual([route, 403, 403])
      }
    }
    expect(await everything()).toEqual(before)
  })

  test('shows or changes a resource of another installation, or takes one by a claim that another one accepted', async () => {
    await partner.store.acceptTransferRequest('claim-stranger', 'icfg_3', Date.now())
    const before = await everything()
    for (const [route, { callers, foreign }] of Object.entries(ROUTES)) {
      for (const kind of foreign === undefined ? [] : callers) {
        const token = await issuer[kind](ID)
        expect([route, await attempt(route, { token })]).toEqual([route, foreign])
      }
    }
    expect(await everything()).toEqual(before)
  })

  test('opens with the path written in another way', async () => {
    const before = await everything()
    for (const path of [
      `/v1/installations/${STRANGER}/../${ID}`,
      `/v1/installations/${ID}%2f..%2f${STRANGER}`,
      `/v1/installations/icfg%5f1`,
      `/v1//installations/${ID}`,
      `/v1/installations/${STRANGER}/resources/..%2f..%2f${ID}/resources/db_own`,
      `/v1/installations/${STRANGER}/resources/../../${ID}/resources/db_own`,
    ]) {
      const token = await issuer.system(STRANGER)
      const { status } = await partner.call('DELETE', path, { token })
      expect([path, status >= 400]).toEqual([path, true])
    }
    expect(await everything()).toEqual(before)
  })
})

test('the OpenAPI document tells of every route, and that it asks for a token', async () => {
  const { status, body } = await partner.call('GET', '/partner/openapi.json', {})
  expect(status).toBe(200)
  const paths = body['paths'] as Record<string, Record<string, { security?: unknown }>>
  const told = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const routes = Object.keys(ROUTES).map((route) => route.replaceAll(/:(\w+)/g, '{$1}'))
  expect(told.sort()).toEqual(routes.sort())
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path)))
    expect(operation.security).toEqual([{ oidc: [] }])
})

test('without resources to provision there are the routes of installations alone', async () => {
  const app = partnerApp({
    store: partner.store,
    verify: () => Promise.resolve({ kind: 'system', installationId: ID }),
    ready: () => true,
    log: silentLog,
    refuseRemoval: () => Promise.resolve(undefined),
    remove: () => Promise.resolve({ finished: true }),
  })
  expect((await app.request(`/v1/installations/${ID}`)).status).toBe(200)
  expect((await app.request(`/v1/installations/${ID}/resources/db_own`)).status).toBe(404)
})
