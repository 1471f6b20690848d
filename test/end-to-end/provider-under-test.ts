import { expect } from 'vitest'
import { branchCheck, postgres, provisionDatabase, smokeQuery } from '../../src/index.ts'
import { postgresStore } from '../../src/installations/postgres-store.ts'
import type {
  DeploymentSnapshot,
  Installation,
  Project,
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

const KEYS = [{ id: 'test', bytes: Buffer.alloc(32, 1) }]
const FREE = {
  id: 'free',
  type: 'subscription',
  name: 'Free',
  description: 'One database',
} as const

/** Who has installed the integration, with a database of two orders that is connected to a project. */
export interface Customer {
  readonly installation: Installation
  readonly resource: ResourceSnapshot
  readonly project: Project
  /** Of the database. */
  readonly url: string
}

export interface ProviderUnderTest {
  readonly holdpoint: HoldpointUnderTest
  /** Of the database of the installation store. */
  readonly storeUrl: string
  newCustomer(): Promise<Customer>
  /** Deploys a preview and waits until it is ready and its branch was checked. */
  releaseChecked(customer: Customer, gitBranch: string): Promise<DeploymentSnapshot>
  close(): Promise<void>
}

/** A provider that runs on Holdpoint alone: it sells databases, branches and migrates them, and checks the branches. */
export async function startProvider(): Promise<ProviderUnderTest> {
  const database = newName()
  const storeUrl = onDatabase(embeddedServerUrl(), database)
  await sql(embeddedServerUrl(), `CREATE DATABASE ${database}`)
  const holdpoint = await startHoldpoint({
    store: () => postgresStore({ url: storeUrl, keys: KEYS }),
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
  const { vercel } = holdpoint
  await holdpoint.restart({ VERCEL_MARKETPLACE_URL: vercel.url })
  vercel.partnerUrl = holdpoint.url

  return {
    holdpoint,
    storeUrl,
    async newCustomer() {
      const installation = await vercel.install()
      const resource = await vercel.provision(installation, {
        product: 'product',
        name: 'orders',
        billingPlanId: 'free',
      })
      expect(resource).toMatchObject({ status: 'ready', billingPlan: { id: 'free' } })
      const url = resource.env['DATABASE_URL'] ?? ''
      await sql(url, 'CREATE TABLE orders (id integer); INSERT INTO orders VALUES (1), (2)')
      const actions = { branch: { environments: ['preview'] } }
      const project = vercel.createProject({
        name: 'shop',
        installation,
        resources: [{ resourceId: resource.id, actions }],
      })
      await eventually(() => expect(project.checks).toHaveLength(1))
      return { installation, resource, project, url }
    },
    async releaseChecked({ project }, gitBranch) {
      const { id } = await holdpoint.release(project, { gitBranch })
      const isChecked = ({ checkRuns }: DeploymentSnapshot) => checkRuns[0]?.status === 'completed'
      return await vercel.until(id, isChecked, { description: 'the check run is completed' })
    },
    async close() {
      await holdpoint.close()
      await dropSource(embeddedServerUrl(), database)
    },
  }
}

/** Every database and role of the server. */
export async function serverObjects(): Promise<string[]> {
  const rows = await sql<{ name: string }>(
    embeddedServerUrl(),
    `SELECT 'database ' || datname AS name FROM pg_database
      UNION SELECT 'role ' || rolname FROM pg_roles ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** Whether the URL leads into its database. */
export async function opens(url: string | undefined): Promise<boolean> {
  return await sql(url ?? '', 'SELECT 1').then(
    () => true,
    () => false,
  )
}
