import { afterAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { branchDatabase } from '../../src/actions/branch-database.ts'
import { Secret } from '../../src/domain/secret.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { provisionDatabase } from '../../src/products/provision-database.ts'
import { actionCall } from '../actions/action-call.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { dropResourceOf, standing } from '../drivers/resource-under-test.ts'
import { productCall } from './product-call.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

// Against the Postgres of the test run.

const server = ownPostgresUrl()
const driver = postgres({ server })
afterAll(() => driver.close())

test('a customer gets a database with the way in as DATABASE_URL, other credentials for it, and leaves nothing', async () => {
  const product = provisionDatabase({ name: 'Database', driver })
  const call = newCall()
  const first = await product.provision(call)
  expect(await product.provision(call)).toEqual(first)
  const old = await urlOf(await product.secrets({ ...call, reference: first }))
  await sql(old, `CREATE TABLE lines AS SELECT 'kept' AS line`)

  const rotation = { ...call, reference: first, rotationId: 'rotation 1' }
  const second = await product.rotate?.(rotation)
  expect(await product.rotate?.(rotation)).toEqual(second)
  if (!second) throw new Error('nothing was rotated')
  const fresh = await urlOf(await product.secrets({ ...call, reference: second }))
  expect(await sql(old, 'SELECT line FROM lines')).toEqual([{ line: 'kept' }])
  expect(await sql(fresh, 'SELECT line FROM lines')).toEqual([{ line: 'kept' }])

  await product.expireSecrets?.({ ...call, reference: second })
  await product.expireSecrets?.({ ...call, reference: second })
  await expect(sql(old, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  expect(await sql(fresh, 'SELECT line FROM lines')).toEqual([{ line: 'kept' }])

  await product.deprovision(call)
  await product.deprovision({ ...call, reference: second })
  expect(await standing(server, call.key.resourceId)).toEqual([])
})

test('a deployment gets a branch of the database by the same driver', async () => {
  const product = provisionDatabase({ name: 'Database', driver })
  const action = branchDatabase({ name: 'Branch', driver })
  const call = newCall()
  const reference = await product.provision(call)
  const url = await urlOf(await product.secrets({ ...call, reference }))
  await sql(url, `CREATE TABLE lines AS SELECT 'kept' AS line`)

  const { call: deployment } = actionCall({}, call.key.resourceId)
  onTestFinished(async () => action.deprovision?.(deployment))
  await action.provision?.(deployment)
  const branch = await urlOf(
    (await action.outcome?.({ ...deployment, reference: { branch: '' } })) ?? {},
  )
  await sql(branch, `INSERT INTO lines VALUES ('of the branch')`)
  expect(await sql(url, 'SELECT line FROM lines')).toEqual([{ line: 'kept' }])
  await product.deprovision(call)
  expect(await sql(branch, 'SELECT line FROM lines')).toHaveLength(2)
})

test('the variables are those that the configuration makes of the connection', async () => {
  const product = provisionDatabase({
    name: 'Database',
    driver,
    secrets: ({ host, port, database, password }) => ({
      PGHOST: `${host}:${port}`,
      PGDATABASE: database,
      PGPASSWORD: password,
    }),
  })
  const call = newCall()
  const reference = await product.provision(call)
  expect(reference).toEqual({ generation: 1 })
  const variables = await product.secrets({ ...call, reference })
  expect(variables).toEqual({
    PGHOST: new URL(server).host,
    PGDATABASE: call.key.resourceId,
    PGPASSWORD: expect.any(Secret),
  })
})

test('each database has the connections of its plan, also when the plan changes', async () => {
  const limits: Record<string, number> = { free: 3, pro: 7 }
  const product = provisionDatabase({
    name: 'Database',
    driver,
    connectionLimit: ({ billingPlanId = '' }) => limits[billingPlanId] ?? Number.NaN,
  })
  const call = newCall({ billingPlanId: 'free' })
  const { name, metadata } = call
  const reference = await product.provision(call)
  expect(await limitsOf(call.key.resourceId)).toEqual([3])
  await product.rotate?.({ ...call, reference, rotationId: '1' })
  expect(await limitsOf(call.key.resourceId)).toEqual([3, 3])
  const change = { ...call, billingPlanId: 'pro', reference, before: { name, metadata } }
  expect(await product.update?.(change)).toEqual(reference)
  expect(await limitsOf(call.key.resourceId)).toEqual([7, 7])
  await expect(product.update?.({ ...change, billingPlanId: 'unknown' })).rejects.toMatchObject({
    code: 'connection_limit_invalid',
    retryable: false,
    message: expect.stringContaining('connectionLimit'),
  })
})

test('the declaration is kept, and nothing is done about a change that means nothing', () => {
  const metadata = z.object({ region: z.string() })
  const plans = [{ id: 'pro', type: 'subscription', name: 'Pro', description: '' }] as const
  const declaration = { name: 'Database', metadata, plans, deadline: '1 minute' }
  const product = provisionDatabase({ ...declaration, driver, connectionLimit: 5 })
  expect(product).toMatchObject({ ...declaration, driver })
  expect(product).not.toHaveProperty('update')
})

test('a driver that makes no resources is refused at once, and so is a limit that is none', () => {
  const { resources, ...other } = { ...driver, kind: 'http' }
  expect(resources).toBeDefined()
  expect(() => provisionDatabase({ name: 'Database', driver: other })).toThrow(
    /provisionDatabase\(\{ driver \}\) is not possible with the driver http/,
  )
  for (const connectionLimit of [0, -1, 1.5, Number.NaN, 1e9])
    expect(() => provisionDatabase({ name: 'Database', driver, connectionLimit })).toThrow(
      /provisionDatabase\(\{ connectionLimit \}\)/,
    )
})

/** A call for a new resource, of which nothing is left when the test ends. */
function newCall(changes: Parameters<typeof productCall>[0] = {}) {
  const call = productCall(changes)
  onTestFinished(() => dropResourceOf(server, call.key))
  return call
}

async function urlOf(variables: Record<string, Secret | string>): Promise<string> {
  expect(Object.keys(variables)).toEqual(['DATABASE_URL'])
  return (variables['DATABASE_URL'] as Secret).reveal()
}

async function limitsOf(resourceId: string): Promise<number[]> {
  const rows = await sql<{ rolconnlimit: number }>(
    server,
    'SELECT rolconnlimit FROM pg_roles WHERE rolname IN ($1, $2)',
    [`${resourceId}_1`, `${resourceId}_2`],
  )
  return rows.map(({ rolconnlimit }) => rolconnlimit)
}
