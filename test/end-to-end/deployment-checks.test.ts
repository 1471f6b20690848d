import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { branchRef } from '../../src/domain/branch-ref.ts'
import { branchCheck, type CheckDefinition, postgres, smokeQuery } from '../../src/index.ts'
import { sql, workOn } from '../drivers/postgres-under-test.ts'
import { type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

// Checks of the Checks API v1, by the whole service, against a local Vercel and the Postgres of the test run.

const seen: string[] = []

const checksOn = (postgresUrl: string): Record<string, CheckDefinition> => ({
  products: branchCheck({
    api: 'v1',
    name: 'Products',
    isRerequestable: true,
    driver: postgres({ server: postgresUrl }),
    action: 'branch',
    check: async (branch) => {
      const [row] = await sql<{ count: string }>(
        branch.url.reveal(),
        'SELECT count(*) FROM products',
      )
      seen.push(`${branch.database} has ${row?.count} products.`)
      return { conclusion: 'succeeded', text: 'There are products.' }
    },
  }),
  prices: branchCheck({
    api: 'v1',
    name: 'Prices',
    blocks: 'none',
    driver: postgres({ server: postgresUrl }),
    action: 'branch',
    check: smokeQuery('SELECT price FROM products'),
  }),
})

let holdpoint: HoldpointUnderTest

beforeAll(async () => {
  holdpoint = await startHoldpoint({ checks: checksOn })
})
afterEach(() => holdpoint.resetVercel())
afterAll(() => holdpoint.close())

/** The conclusions of the deployment's two checks, by name. */
const checked = async (id: string) => {
  const { checks } = await holdpoint.vercel.until(
    id,
    ({ checks }) =>
      checks.length === 2 &&
      checks.every(({ status, externalId }) => status === 'completed' && externalId !== undefined),
    { description: 'both checks are completed' },
  )
  return Object.fromEntries(checks.map(({ name, conclusion }) => [name, conclusion]))
}

test('the branch of a deployment is checked once it is built, also when that is asked for again, and nothing tells its password', async () => {
  const { vercel } = holdpoint
  // Its checks are created while the branch is made.
  const letGo = await holdpoint.occupySource()
  const deployment = holdpoint.deploy()
  const { id } = deployment
  await vercel.until(id, ({ checks }) => checks.length === 2)
  await letGo()
  expect(await checked(id)).toEqual({ Products: 'succeeded', Prices: 'failed' })
  const { name } = branchRef(holdpoint.keyOf(deployment))
  expect(seen).toEqual([`${name} has 3 products.`])
  const { checks, env, readyState } = vercel.deployment(id)
  expect(readyState).toBe('READY')

  const products = checks.find((check) => check.name === 'Products')
  vercel.rerequestCheck(id, products?.id ?? '')
  await checked(id)
  expect(seen).toEqual([`${name} has 3 products.`, `${name} has 3 products.`])
  expect(await workOn(holdpoint.postgresUrl, name)).toEqual([])

  const password = new URL(env['DATABASE_URL'] ?? '').password
  expect(password).not.toBe('')
  const told = JSON.stringify(vercel.deployment(id).checks) + holdpoint.logLines.join('')
  expect(told).toContain('column \\"price\\" does not exist')
  expect(told).not.toContain(password)
})
