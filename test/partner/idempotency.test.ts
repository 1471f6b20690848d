import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import { memoryStore } from '../../src/installations/memory-store.ts'
import { postgresStore } from '../../src/installations/postgres-store.ts'
import type { InstallationStore } from '../../src/installations/store.ts'
import {
  dropSource,
  embeddedServerUrl,
  newName,
  onDatabase,
  sql,
} from '../drivers/postgres-under-test.ts'
import { PASSWORD } from './fake-resource-door.ts'
import { type OidcIssuer, startOidcIssuer } from './oidc-issuer.ts'
import { type Call, partnerUnderTest, type PartnerUnderTest } from './partner-under-test.ts'

const WANTED = { productId: 'plain', name: 'Shop' }
const database = newName()
const keys = [{ id: 'a', bytes: randomBytes(32) }]

let issuer: OidcIssuer
beforeAll(async () => {
  issuer = await startOidcIssuer()
  await sql(embeddedServerUrl(), `CREATE DATABASE ${database}`)
})
afterAll(async () => {
  await issuer.close()
  await dropSource(embeddedServerUrl(), database)
})

const inPostgres = async () => {
  const store = postgresStore({ url: onDatabase(embeddedServerUrl(), database), keys })
  await store.prepare()
  return store
}

describe.each<[string, () => Promise<InstallationStore>]>([
  ['in memory', async () => memoryStore()],
  ['in Postgres', inPostgres],
])('a request with an Idempotency-Key, with answers kept %s', (_, openStore) => {
  let partner: PartnerUnderTest
  let id: string
  let user: string
  beforeEach(async () => {
    const store = await openStore()
    onTestFinished(() => store.close())
    partner = partnerUnderTest(issuer, { store })
    id = `icfg_${randomUUID().replaceAll('-', '')}`
    user = await issuer.user(id)
    await partner.installed(id)
  })

  const call = (method: string, path: string, request: Call) =>
    partner.call(method, `/v1/installations/${id}${path}`, { token: user, ...request })
  const provision = (request: Call = {}) =>
    call('POST', '/resources', { body: WANTED, key: 'request-1', ...request })

  test('is done once, and answered the same each time, secrets included', async () => {
    const first = await provision()
    expect(first).toMatchObject({ status: 200, body: { status: 'ready' } })
    expect(JSON.stringify(first)).toContain(PASSWORD)
    for (let time = 0; time < 2; time++)
      expect(await provision()).toEqual({ ...first, replayed: true })
    expect(partner.door.asked).toHaveLength(1)
    expect(partner.logged()).not.toContain(PASSWORD)
  })

  test('is answered the same when the answer has no body, or is a refusal', async () => {
    await partner.stored(id, `db_${id}`)
    const path = `/resources/db_${id}`
    const removal = { key: 'removal' }
    expect(await call('DELETE', path, removal)).toEqual({ status: 204, body: {} })
    expect(await call('DELETE', path, removal)).toEqual({ status: 204, body: {}, replayed: true })
    partner.door.progress = { kind: 'failed', message: 'There is no room.' }
    const refusal = await provision()
    expect(refusal.status).toBe(409)
    partner.door.progress = { kind: 'done' }
    expect(await provision()).toEqual({ ...refusal, replayed: true })
    expect(await partner.store.listResources(id)).toEqual([])
  })

  test('is refused when another one had the key, by its body, path or method', async () => {
    await provision()
    await partner.stored(id, `db_${id}`)
    const used = { status: 409, body: { error: { code: 'idempotency_key_used' } } }
    const key = 'request-1'
    for (const answer of [
      await provision({ body: { ...WANTED, name: 'Another' } }),
      await call('PATCH', `/resources/db_${id}`, { key, body: WANTED }),
      await call('DELETE', `/resources/db_${id}`, { key }),
      await call('POST', `/resources/db_${id}/secrets/rotate`, { key, body: WANTED }),
      await call('DELETE', '', { key }),
      await call('PUT', '', { key, body: WANTED }),
    ])
      expect(answer).toMatchObject(used)
    expect(partner.door.asked).toHaveLength(1)
    expect(partner.removals).toEqual([])
  })

  test('is done again where the end was not final', async () => {
    partner.door.progress = { kind: 'busy' }
    expect((await provision()).status).toBe(409)
    partner.door.failure = new ActionFailure('away', 'Temporal is away.', { retryable: true })
    expect((await provision()).status).toBe(503)
    partner.door.failure = new Error('broken')
    expect((await provision()).status).toBe(500)
    partner.door.failure = undefined
    partner.door.progress = { kind: 'done' }
    const done = await provision()
    expect(done).toMatchObject({ status: 200 })
    expect(done).not.toHaveProperty('replayed')
  })

  test('says nothing to another installation with the same key, nor to a token of the wrong kind', async () => {
    await provision()
    const stranger = `${id}2`
    await partner.installed(stranger)
    const other = await issuer.user(stranger)
    const own = await partner.call('POST', `/v1/installations/${stranger}/resources`, {
      token: other,
      body: WANTED,
      key: 'request-1',
    })
    expect(own).toMatchObject({ status: 200 })
    expect(own).not.toHaveProperty('replayed')
    expect((await provision({ token: other })).status).toBe(403)
    expect((await provision({ token: await issuer.system(id) })).status).toBe(403)
  })

  test('may be the one that installs, and is new after everything was removed', async () => {
    const body = { scopes: [], credentials: { access_token: 'one', token_type: 'Bearer' } }
    const install = { body, key: 'install' }
    expect(await call('PUT', '', install)).toEqual({ status: 200, body: {} })
    await partner.store.updateInstallation(id, { billingPlanId: 'pro' })
    expect(await call('PUT', '', install)).toEqual({ status: 200, body: {}, replayed: true })
    await partner.store.removeInstallation(id)
    expect(await call('PUT', '', install)).toEqual({ status: 200, body: {} })
    expect(await partner.store.getInstallation(id)).toBeDefined()
  })
})

describe('a key', () => {
  let partner: PartnerUnderTest
  beforeEach(async () => {
    partner = partnerUnderTest(issuer)
    await partner.installed('icfg_1')
  })
  const provision = async (key: string) =>
    await partner.call('POST', '/v1/installations/icfg_1/resources', {
      token: await issuer.user('icfg_1'),
      body: WANTED,
      key,
    })

  test.each(['', 'a b', 'ü', 'x'.repeat(256)])(
    'that is none is refused, and nothing is done: %j',
    async (key) => {
      expect(await provision(key)).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request', fields: [{ key: 'Idempotency-Key' }] } },
      })
      expect(partner.door.asked).toEqual([])
    },
  )

  test('of 255 characters is taken', async () => {
    expect((await provision('x'.repeat(255))).status).toBe(200)
    expect((await provision('x'.repeat(255))).replayed).toBe(true)
  })

  test('that comes with a reading is not looked at', async () => {
    const request = { token: await issuer.system('icfg_1'), key: 'x'.repeat(256) }
    for (let time = 0; time < 2; time++) {
      const answer = await partner.call('GET', '/v1/installations/icfg_1', request)
      expect(answer).toEqual({ status: 200, body: {} })
    }
  })
})
