import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Installation } from '../../src/simulator/index.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { eventually } from './holdpoint-under-test.ts'
import {
  opens,
  type ProviderUnderTest,
  serverObjects,
  startProvider,
} from './provider-under-test.ts'

// All that a provider's customer does from the first day to the last, on the real service, Postgres and Temporal.

let provider: ProviderUnderTest
/** What stood on the server before the provider's first customer. */
let before: string[]

beforeAll(async () => {
  provider = await startProvider()
  before = await serverObjects()
})
afterAll(() => provider.close())

/** The name of each table of the store that has a row. */
async function filledTables(): Promise<string[]> {
  const tables = ['installations', 'resources', 'transfer_requests', 'answers']
  const filled = await Promise.all(
    tables.map(async (table) => {
      const rows = await sql(provider.storeUrl, `SELECT FROM holdpoint.${table} LIMIT 1`)
      return rows.length > 0 ? [table] : []
    }),
  )
  return filled.flat()
}

const untilForgotten = ({ id }: Installation) =>
  eventually(async () => {
    const known = `SELECT FROM holdpoint.installations WHERE id = '${id}'`
    expect(await sql(provider.storeUrl, known)).toHaveLength(0)
  }, 30_000)

test('a provider’s whole life: nothing is left in Postgres of whoever has gone, and no token', async () => {
  const { holdpoint } = provider
  const { vercel } = holdpoint
  const customer = await provider.newCustomer()
  const other = await provider.newCustomer()

  // Held, branched, migrated, checked and released.
  const kept = await provider.releaseChecked(customer, 'feature/kept')
  expect(kept.checkRuns[0]).toMatchObject({ name: 'Reviews', conclusion: 'succeeded' })
  const branch = kept.env['DATABASE_URL'] ?? ''
  expect(branch).not.toBe(customer.url)
  expect(await sql(branch, 'SELECT id FROM orders')).toHaveLength(2)
  expect(await sql(branch, 'SELECT FROM reviews')).toEqual([])

  // One canceled while it is held, and one deleted after its release.
  const session = await holdpoint.occupy(customer.url)
  const canceled = holdpoint.deploy(customer.project, { gitBranch: 'feature/canceled' })
  await holdpoint.untilBegun(canceled)
  vercel.cancel(canceled.id)
  await session()
  await holdpoint.ended(canceled, { after: 'cancel' })
  expect(await holdpoint.left(canceled)).toEqual([])
  const deleted = await provider.releaseChecked(customer, 'feature/deleted')
  vercel.remove(deleted.id)
  await holdpoint.ended(deleted, { after: 'cleanup' })
  expect(await holdpoint.left(deleted)).toEqual([])

  // New secrets: old ones are good for as long as they were to be, and what was released goes on.
  const ref = customer.resource
  const rotated = await vercel.rotateSecrets(ref, { delayOldSecretsExpirationHours: 0 })
  const fresh = rotated.env['DATABASE_URL']
  expect(fresh).not.toBe(customer.url)
  expect(await sql(fresh ?? '', 'SELECT id FROM orders')).toHaveLength(2)
  await eventually(async () => expect(await opens(customer.url)).toBe(false))
  expect(await opens(branch)).toBe(true)

  // The last day.
  await vercel.uninstall(customer.installation)
  await untilForgotten(customer.installation)
  expect(await holdpoint.left(kept)).toEqual([])
  expect(await opens(fresh)).toBe(false)
  expect(await opens(other.url)).toBe(true)
  vercel.remove(kept.id)

  await vercel.uninstall(other.installation)
  await untilForgotten(other.installation)
  expect(await serverObjects()).toEqual(before)
  expect(await filledTables()).toEqual([])
}, 120_000)

test('a database that changes hands keeps its rows, and goes with its last owner', async () => {
  const { vercel } = provider.holdpoint
  const customer = await provider.newCustomer()
  const buyer = await vercel.install()
  const [moved] = await vercel.transferResources(customer.installation, buyer, [
    customer.resource.id,
  ])
  await vercel.uninstall(customer.installation)
  await untilForgotten(customer.installation)
  expect(await sql(customer.url, 'SELECT id FROM orders')).toHaveLength(2)

  expect(moved).toMatchObject({ installationId: buyer.id })
  if (moved) await vercel.deleteResource(moved)
  await eventually(async () => expect(await serverObjects()).toEqual(before), 30_000)
  await vercel.uninstall(buyer)
  await untilForgotten(buyer)
  expect(await filledTables()).toEqual([])
}, 120_000)
