import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { branchRef } from '../../src/domain/branch-ref.ts'
import {
  branchCheck,
  type CheckDefinition,
  defineCheck,
  postgres,
  smokeQuery,
} from '../../src/index.ts'
import { sql, workOn } from '../drivers/postgres-under-test.ts'
import { eventually, type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

// The whole service against a local Vercel and the Postgres of the test run.

const checksOn = (postgresUrl: string): Record<string, CheckDefinition> => ({
  products: branchCheck({
    name: 'Products',
    requires: 'none',
    driver: postgres({ server: postgresUrl }),
    action: 'branch',
    check: async (branch) => {
      const [row] = await sql<{ count: string }>(
        branch.url.reveal(),
        'SELECT count(*) FROM products',
      )
      return { conclusion: 'succeeded', text: `${branch.database} has ${row?.count} products.` }
    },
  }),
  prices: branchCheck({
    name: 'Prices',
    requires: 'build-ready',
    driver: postgres({ server: postgresUrl }),
    action: 'branch',
    check: smokeQuery('SELECT price FROM products'),
  }),
  slow: defineCheck({
    name: 'Slow',
    requires: 'build-ready',
    targets: ['production'],
    run: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
  }),
})

let holdpoint: HoldpointUnderTest

beforeAll(async () => {
  holdpoint = await startHoldpoint({ checks: checksOn })
  await eventually(() => expect(holdpoint.project.checks).toHaveLength(3))
})
afterEach(() => holdpoint.resetVercel())
afterAll(() => holdpoint.close())

const checked = async (id: string) => {
  const { checkRuns } = await holdpoint.vercel.until(
    id,
    ({ checkRuns }) =>
      checkRuns.length === 2 && checkRuns.every(({ status }) => status === 'completed'),
    { description: 'both check runs are completed' },
  )
  return checkRuns
}

test('checks that are declared are there for every project that the resource is connected to', () => {
  expect(holdpoint.project.checks).toMatchObject(
    ['Products', 'Prices', 'Slow'].map((name) => ({
      name,
      externalResourceId: holdpoint.source.name,
    })),
  )
})

test('the branch of a deployment is checked, from a check that started while it was being made', async () => {
  const letGo = await holdpoint.occupySource()
  const deployment = holdpoint.deploy()
  const { id } = deployment
  await holdpoint.vercel.until(id, ({ checkRuns }) => checkRuns[0]?.status === 'running')
  expect(holdpoint.vercel.deployment(id).actions[0]?.status).not.toBe('succeeded')
  await letGo()
  const { name } = branchRef(holdpoint.keyOf(deployment))
  expect(await checked(id)).toMatchObject([
    {
      name: 'Products',
      conclusion: 'succeeded',
      conclusionText: `${name} has 3 products.`,
      acceptedStatuses: ['running', 'completed'],
    },
    {
      name: 'Prices',
      conclusion: 'failed',
      conclusionText: expect.stringContaining('column "price" does not exist'),
      acceptedStatuses: ['running', 'completed'],
    },
  ])
  expect(await workOn(holdpoint.postgresUrl, name)).toEqual([])
})

describe('a check that hangs', () => {
  test('is stopped by a cancel', async () => {
    const { vercel, project } = holdpoint
    vercel.dials.cancelEndsCheckRun = false
    const { id } = vercel.deploy(project, { environment: 'production' })
    const { checkRuns } = await vercel.until(id, (each) => each.checkRuns[0]?.status === 'running')
    vercel.cancelCheckRun(id, checkRuns[0]?.id ?? '')
    const ended = await vercel.until(id, (each) => each.checkRuns[0]?.status === 'completed')
    expect(ended.checkRuns).toMatchObject([
      { conclusion: 'canceled', acceptedStatuses: ['running', 'completed'] },
    ])
  })

  test('goes on after the service was ended and started again', async () => {
    const { vercel, project } = holdpoint
    vercel.dials.cancelEndsCheckRun = false
    const { id } = vercel.deploy(project, { environment: 'production' })
    const { checkRuns } = await vercel.until(id, (each) => each.checkRuns[0]?.status === 'running')
    await holdpoint.restart()
    vercel.cancelCheckRun(id, checkRuns[0]?.id ?? '')
    const ended = await vercel.until(id, (each) => each.checkRuns[0]?.status === 'completed')
    expect(ended.checkRuns).toMatchObject([{ conclusion: 'canceled' }])
  })
})

test('no password of a branch is in what is told, logged or shown of a check', async () => {
  const { id, env } = await holdpoint.release()
  await checked(id)
  const password = new URL(env['DATABASE_URL'] ?? '').password
  expect(password).not.toBe('')
  const told = JSON.stringify(holdpoint.vercel.deployment(id).checkRuns)
  expect(told + holdpoint.logLines.join('')).not.toContain(password)
})
