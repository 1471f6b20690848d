import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { branchDatabase } from '../../src/actions/branch-database.ts'
import { branchRef } from '../../src/domain/branch-ref.ts'
import type { Secret } from '../../src/domain/secret.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { newSource, remainsOf, sql } from '../drivers/postgres-under-test.ts'
import { actionCall } from './action-call.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

// Against the Postgres of the test run.

const server = ownPostgresUrl()
const driver = postgres({ server })
afterAll(() => driver.close())

test('a deployment gets a copy of its own, the way into it as DATABASE_URL, and leaves nothing behind', async () => {
  const action = branchDatabase({ name: 'Branch', driver })
  const source = await newSource(server, `CREATE TABLE lines AS SELECT 'hello' AS line`)
  const { call } = actionCall({}, source)
  const { name } = branchRef(call.key)

  const reference = await action.provision?.(call)
  expect(reference).toEqual({ branch: name })
  const outcome = await action.outcome?.({ ...call, reference: { branch: name } })
  expect(Object.keys(outcome ?? {})).toEqual(['DATABASE_URL'])
  const url = outcome?.['DATABASE_URL'] as Secret
  expect(await sql(url.reveal(), 'SELECT line FROM lines')).toEqual([{ line: 'hello' }])
  expect(await action.list?.({ ...call, action: call.key.action })).toContainEqual(
    expect.objectContaining({ name, owner: call.key, complete: true }),
  )

  await action.deprovision?.(call)
  expect(await remainsOf(server, name)).toEqual([])
  await action.deprovision?.(call)
})

test('the variables are those that the configuration makes of the branch', async () => {
  const action = branchDatabase({
    name: 'Branch',
    driver,
    secrets: ({ host, port, password }) => ({ PGHOST: `${host}:${port}`, PGPASSWORD: password }),
  })
  const { call } = actionCall({}, await newSource(server))
  await action.provision?.(call)
  const outcome = await action.outcome?.({ ...call, reference: { branch: '' } })
  await action.deprovision?.(call)
  expect(outcome).toEqual({ PGHOST: new URL(server).host, PGPASSWORD: expect.anything() })
  expect(String(outcome?.['PGPASSWORD'])).toBe('[redacted]')
})

test('the declaration is kept, with the schema of the options', () => {
  const options = z.object({ size: z.number().default(1) })
  const action = branchDatabase({ name: 'Branch', driver, options, deadline: '1 minute' })
  expect(action).toMatchObject({ name: 'Branch', deadline: '1 minute', options, driver })
  expect(action.options?.parse({})).toEqual({ size: 1 })
})
