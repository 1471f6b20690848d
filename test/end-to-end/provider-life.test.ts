import { afterAll, beforeAll, expect, test } from 'vitest'
import { branchCheck, postgres, provisionDatabase, smokeQuery } from '../../src/index.ts'
import { postgresStore } from '../../src/installations/postgres-store.ts'
import type {
  DeploymentSnapshot,
  Installation,
  ResourceSnapshot,
} from '../../src/simulator/index.ts'
import {
  dropSource,
  embeddedServerUrl,
  newName,
  onDatabase,
  sql,
} from '../drivers/postgres-under-test.ts'
import { eventually, type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

// All that a provider's customer does from the first day to the last, on the real service, Postgres and Temporal.

const database = newName()
const databaseUrl = onDatabase(embeddedServerUrl(), database)
const keys = [{ id: 'test', bytes: Buffer.alloc(32, 1) }]
const FREE = {
  id: 'free',
  type: 'subscription',
  name: 'Free',
  description: 'One database',
} as const

let holdpoint: HoldpointUnderTest
/** What stood on the server before the provider's first customer. */
let before: string[]

beforeAll(async () => {
  await sql(embeddedServerUrl(), `CREATE DATABASE ${database}`)
  holdpoint = await startHoldpoint({
    store: () => postgresStore({ url: databaseUrl, keys }),
    variables: { VERCEL_ACCESS_TOKEN: '', INTEGRATION_CLIENT_ID: 'oac_local' },
    products: (server) => ({
      product: provisionDatabase({ name: 'Postgres', plans: [FREE], driver: postgres({ server }) }),
    }),
    migrate: async (branch) => {
      await sql(branch.url.reveal(), 'CREATE TABLE IF NOT EXISTS reviews (stars integer)')
    },
    checks: (server) => ({
      reviews: branchCheck({
        name: 'Reviews',
        requires: 'none',
        driver: postgres({ server }),
        action: 'branch',
        check: smokeQuery('SELECT stars FROM reviews'),
      }),
    }),
  })
  await holdpoint.restart({ VERCEL_MARKETPLACE_URL: holdpoint.vercel.url })
  holdpoint.vercel.partnerUrl = holdpoint.url
  before = await objects()
})
afterAll(async () => {
  await holdpoint.close()
  await dropSource(embeddedServerUrl(), database)
})

/** Every database and role of the server. */
async function objects(): Promise<string[]> {
  const rows = await sql<{ name: string }>(
    embeddedServerUrl(),
    `SELECT 'database ' || datname AS name FROM pg_database UNION SELECT 'role ' || rolname FROM pg_roles ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** The name of each table of the store that has a row. */
async function filledTables(): Promise<string[]> {
  const tables = ['installations', 'resources', 'transfer_requests', 'answers']
  const filled = await Promise.all(
    tables.map(async (table) => {
      const rows = await sql(databaseUrl, `SELECT FROM holdpoint.${table} LIMIT 1`)
      return rows.length > 0 ? [table] : []
    }),
  )
  return filled.flat()
}

const untilForgotten = ({ id }: Installation) =>
  eventually(async () => {
    const rows = await sql(databaseUrl, `SELECT FROM holdpoint.installations WHERE id = '${id}'`)
    expect(rows).toHaveLength(0)
  }, 30_000)

const canLogIn = (url: string | undefined) =>
  sql(url ?? '', 'SELECT 1').then(
    () => true,
    () => false,
  )

/** Deploys a preview and waits until it is ready and checked. */
async function releaseChecked(customer: Customer, gitBranch: string): Promise<DeploymentSnapshot> {
  const { id } = await holdpoint.release(customer.project, { gitBranch })
  return await holdpoint.vercel.until(id, ({ checkRuns }) => checkRuns[0]?.status === 'completed', {
    description: 'the check run is completed',
  })
}

type Customer = Awaited<ReturnType<typeof newCustomer>>

/** Installs, provisions a database with a table, and connects a project to it. */
async function newCustomer() {
  const { vercel } = holdpoint
  const installation: Installation = await vercel.install()
  const resource: ResourceSnapshot = await vercel.provision(installation, {
    product: 'product',
    name: 'orders',
    billingPlanId: 'free',
  })
  expect(resource).toMatchObject({ status: 'ready', billingPlan: { id: 'free' } })
  const url = resource.env['DATABASE_URL'] ?? ''
  await sql(url, 'CREATE TABLE orders (id integer); INSERT INTO orders VALUES (1), (2)')
  const project = vercel.createProject({
    name: 'shop',
    installation,
    resources: [{ resourceId: resource.id, actions: { branch: { environments: ['preview'] } } }],
  })
  await eventually(() => expect(project.checks).toHaveLength(1))
  return { installation, resource, project, url }
}

test('a provider’s whole life: nothing is left in Postgres of whoever has gone, and no token', async () => {
  const { vercel } = holdpoint
  const customer = await newCustomer()
  const other = await newCustomer()

  // Held, branched, migrated, checked and released.
  const kept = await releaseChecked(customer, 'feature/kept')
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
  const deleted = await releaseChecked(customer, 'feature/deleted')
  vercel.remove(deleted.id)
  await holdpoint.ended(deleted, { after: 'cleanup' })
  expect(await holdpoint.left(deleted)).toEqual([])

  // New secrets: old ones are good for as long as they were to be, and what was released goes on.
  const ref = customer.resource
  const rotated = await vercel.rotateSecrets(ref, { delayOldSecretsExpirationHours: 0 })
  const fresh = rotated.env['DATABASE_URL']
  expect(fresh).not.toBe(customer.url)
  expect(await sql(fresh ?? '', 'SELECT id FROM orders')).toHaveLength(2)
  await eventually(async () => expect(await canLogIn(customer.url)).toBe(false))
  expect(await canLogIn(branch)).toBe(true)

  // The last day.
  expect(await vercel.uninstall(customer.installation)).toEqual({ finalized: true })
  expect(await holdpoint.left(kept)).toEqual([])
  expect(await canLogIn(fresh)).toBe(false)
  expect(await canLogIn(other.url)).toBe(true)
  vercel.remove(kept.id)

  expect(await vercel.uninstall(other.installation)).toEqual({ finalized: true })
  expect(await objects()).toEqual(before)
  expect(await filledTables()).toEqual([])
}, 120_000)

test('a database that changes hands keeps its rows, and goes with its last owner', async () => {
  const { vercel } = holdpoint
  const customer = await newCustomer()
  const buyer = await vercel.install()
  const [moved] = await vercel.transferResources(customer.installation, buyer, [
    customer.resource.id,
  ])
  await vercel.uninstall(customer.installation)
  await untilForgotten(customer.installation)
  expect(await sql(customer.url, 'SELECT id FROM orders')).toHaveLength(2)

  expect(moved).toMatchObject({ installationId: buyer.id })
  if (moved) await vercel.deleteResource(moved)
  await eventually(async () => expect(await objects()).toEqual(before), 30_000)
  await vercel.uninstall(buyer)
  await untilForgotten(buyer)
  expect(await filledTables()).toEqual([])
}, 120_000)
