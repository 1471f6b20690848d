import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startSimulator, type Simulator } from '../../src/simulator/index.ts'
import { Secret } from '../../src/domain/secret.ts'
import { postgresStore } from '../../src/installations/postgres-store.ts'
import { dropSource, newName, onDatabase, sql } from '../drivers/postgres-under-test.ts'
import { installationOf } from '../installations/contract.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { type CommandEnd, commandLine } from './run-command.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

let line: Awaited<ReturnType<typeof commandLine>>
let temporal: TemporalEnvironment
let vercel: Simulator
let productLine: Awaited<ReturnType<typeof commandLine>>
let [good, broken, unset, unread, stored, unsold, sold]: CommandEnd[] = []
const storeName = newName()
const KEY = '00'.repeat(32)

beforeAll(async () => {
  line = await commandLine(`
    const driver = holdpoint.postgres({ server: process.env.POSTGRES_URL })
    export default { actions: { branch: holdpoint.branchDatabase({ name: 'Branch', driver }) } }`)
  productLine = await commandLine(`
    const step = async () => {}
    const database = { name: 'Database', provision: step, secrets: step, deprovision: step }
    export default { actions: {}, products: { database } }`)
  temporal = await devServerEnvironment()
  vercel = await startSimulator({
    clientSecret: 'client-secret',
    accessToken: 'token',
    product: { id: 'product', name: 'Product', actions: [] },
  })
  const dead = '127.0.0.1:1'
  const storeUrl = await storeWithToken('token')
  ;[good, broken, unset, unread, stored, unsold, sold] = await Promise.all([
    line.run(['doctor'], {
      INTEGRATION_CLIENT_SECRET: 'client-secret',
      VERCEL_ACCESS_TOKEN: 'token',
      VERCEL_API_URL: vercel.url,
      POSTGRES_URL: ownPostgresUrl(),
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    }),
    line.run(['doctor'], {
      INTEGRATION_CLIENT_SECRET: 'hunter2,hunter3,hunter4',
      VERCEL_ACCESS_TOKEN: 'hunter5',
      VERCEL_API_URL: vercel.url,
      POSTGRES_URL: `postgres://me:hunter6@${dead}`,
      TEMPORAL_ADDRESS: dead,
      HOLDPOINT_DATABASE_URL: `postgres://me:hunter8@${dead}`,
      HOLDPOINT_ENCRYPTION_KEYS: KEY,
    }),
    line.run(['doctor']),
    line.run(['doctor'], { PORT: 'hunter7' }),
    line.run(['doctor'], {
      VERCEL_API_URL: vercel.url,
      HOLDPOINT_DATABASE_URL: storeUrl,
      HOLDPOINT_ENCRYPTION_KEYS: `test:${KEY}`,
    }),
    productLine.run(['doctor']),
    productLine.run(['doctor'], {
      INTEGRATION_CLIENT_ID: 'oac_1',
      VERCEL_API_URL: vercel.url,
      HOLDPOINT_DATABASE_URL: storeUrl,
      HOLDPOINT_ENCRYPTION_KEYS: `test:${KEY}`,
    }),
  ])
})
afterAll(async () => {
  await line.remove()
  await productLine.remove()
  await vercel.close()
  await temporal.teardown()
  await dropSource(ownPostgresUrl(), storeName)
})

/** A database with the installation store, which knows one installation with this token. */
async function storeWithToken(token: string): Promise<string> {
  await sql(ownPostgresUrl(), `CREATE DATABASE ${storeName}`)
  const url = onDatabase(ownPostgresUrl(), storeName)
  const store = postgresStore({ url, keys: [{ id: 'test', bytes: Buffer.from(KEY, 'hex') }] })
  await store.prepare()
  await store.putInstallation(installationOf({ id: 'icfg_stored' }), new Secret(token))
  await store.close()
  return url
}

/** The findings of a level, by their subject. */
function subjects({ stdout = '' }: Partial<CommandEnd> = {}, level: 'ok' | 'WARN' | 'ERROR') {
  return [...stdout.matchAll(new RegExp(`^${level} +(.+?): `, 'gm'))].map(
    ([, subject = '']) => subject,
  )
}

test('a good set-up is ready: nothing to mend, exit code 0', () => {
  expect(subjects(good, 'ERROR')).toEqual([])
  expect(subjects(good, 'ok')).toEqual(
    expect.arrayContaining([
      'Configuration',
      'Client secret',
      'Temporal',
      'Search attributes',
      'Retention',
      'Postgres server',
      'Vercel token',
      'Clock',
    ]),
  )
  expect(subjects(good, 'WARN')).toEqual(expect.arrayContaining(['Worker', 'Reconciliation']))
  expect(good).toMatchObject({ code: 0, stderr: '' })
  expect(good?.stdout).toMatch(/\nReady\.\n$/)
})

test('a broken one is told finding by finding, exit code 1', () => {
  expect(subjects(broken, 'ERROR').sort()).toEqual([
    'Installation store',
    'Postgres server',
    'Temporal',
    'Vercel token',
  ])
  expect(subjects(broken, 'WARN')).toContain('Client secret')
  expect(broken?.code).toBe(1)
  expect(broken?.stdout).toMatch(/\n4 to mend\.\n$/)
})

test('with an installation store, an installation in it lends its token', () => {
  expect(subjects(stored, 'ok')).toEqual(
    expect.arrayContaining(['Installation store', 'Installation tokens', 'Vercel token']),
  )
  expect(subjects(stored, 'ERROR')).toEqual(['Client secret'])
  expect(stored?.stdout).toContain('knows 1 installations')
})

test('what is not set is told with the variable to set', () => {
  expect(subjects(unset, 'ERROR').sort()).toEqual(['Client secret', 'Vercel token'])
  expect(subjects(unset, 'WARN').sort()).toEqual(['Postgres server', 'Temporal'])
  for (const name of [
    'INTEGRATION_CLIENT_SECRET',
    'VERCEL_ACCESS_TOKEN',
    'POSTGRES_URL',
    'TEMPORAL_ADDRESS',
  ]) {
    expect(unset?.stdout).toMatch(new RegExp(`fix: .*${name}`))
  }
  expect(unset?.code).toBe(1)
})

test('products that nobody could provision are told, with the variables to set', () => {
  expect(subjects(unsold, 'ERROR')).toContain('Products')
  expect(unsold?.stdout).toMatch(/fix: set HOLDPOINT_DATABASE_URL and INTEGRATION_CLIENT_ID/)
  expect(subjects(sold, 'ok')).toContain('Products')
})

test('settings that cannot be read are the one finding', () => {
  expect(subjects(unread, 'ERROR')).toEqual(['Settings'])
  expect(unread?.stdout).toContain('PORT: ')
  expect(unread?.code).toBe(1)
})

describe('whatever it finds', () => {
  test('each warning and each error comes with a fix', () => {
    const ends = [good, broken, unset, unread, stored, unsold].filter((end) => end !== undefined)
    for (const { stdout } of ends) {
      const findings = stdout
        .split(/^(?=ok |WARN |ERROR )/m)
        .filter((text) => !text.startsWith('ok'))
      expect(findings.length).toBeGreaterThan(0)
      for (const finding of findings) expect(finding).toMatch(/\n {9}fix: .+/)
    }
  })

  test('no secret is printed', () => {
    for (const end of [good, broken, unset, unread, stored, unsold, sold]) {
      expect(`${end?.stdout}${end?.stderr}`).not.toMatch(/hunter|client-secret/)
    }
  })
})
