import { expect, onTestFinished, test } from 'vitest'
import { branchDatabase } from '../../../src/actions/branch-database.ts'
import type { Secret } from '../../../src/domain/secret.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import { actionCall } from '../../actions/action-call.ts'
import { embeddedServerUrl, sql } from '../postgres-under-test.ts'
import { LINES, neonScene, useFakeNeon } from './neon-scene.ts'
import { neonAt } from './neon-under-test.ts'

const fake = useFakeNeon()

test('both ways into a branch are given out, each proved by a login', async () => {
  const { driver, ref, create, branch } = await neonScene(fake())
  await create()
  const before = { direct: fake().direct.connections(), pooler: fake().pooler.connections() }
  const opened = await driver.openBranch(ref, driverCall())
  expect(portOf(opened.url.reveal())).toBe(fake().direct.port)
  expect(portOf(opened.pooledUrl?.reveal())).toBe(fake().pooler.port)
  expect(fake().direct.connections()).toBe(before.direct + 1)
  expect(fake().pooler.connections()).toBe(before.pooler + 1)
  expect(opened).toMatchObject({ port: fake().direct.port, database: branch().database })
  for (const url of [opened.url, opened.pooledUrl])
    expect(await sql(url?.reveal() ?? '', 'SELECT line FROM lines ORDER BY id')).toEqual(
      LINES.map((line) => ({ line })),
    )
})

test('a deployment gets the pooled way and the direct one under names of its own', async () => {
  const { driver, project } = await neonScene(fake())
  const action = branchDatabase({
    name: 'Branch',
    driver,
    secrets: (branch) => ({
      DATABASE_URL: branch.pooledUrl ?? branch.url,
      DATABASE_URL_UNPOOLED: branch.url,
    }),
  })
  const { call } = actionCall({}, project.id)
  const reference = (await action.provision?.(call)) ?? { branch: '' }
  const outcome = Object.entries((await action.outcome?.({ ...call, reference })) ?? {})
  const ports = outcome.map(([name, url]) => [name, portOf((url as Secret).reveal())])
  expect(Object.fromEntries(ports)).toEqual({
    DATABASE_URL: fake().pooler.port,
    DATABASE_URL_UNPOOLED: fake().direct.port,
  })
  await action.deprovision?.(call)
  expect(project.branches.size).toBe(1)
})

test('a branch of a whole git branch is refused when the action is configured', async () => {
  const { driver } = await neonScene(fake())
  expect(() => branchDatabase({ name: 'Branch', driver, scope: 'git-branch' })).toThrow(
    /not possible with the driver neon/,
  )
})

test('without pooling the pooler is not asked for', async () => {
  const { driver, ref, create } = await neonScene(fake(), { pooled: false })
  await create()
  const before = fake().pooler.connections()
  expect(await driver.openBranch(ref, driverCall())).not.toHaveProperty('pooledUrl')
  expect(fake().pooler.connections()).toBe(before)
})

test('a login changes no setting of a session that the pooler gives to others later', async () => {
  const { driver, ref, create } = await neonScene(fake())
  await create()
  const before = fake().pooler.sent().length
  await driver.openBranch(ref, driverCall())
  const sent = fake().pooler.sent().slice(before)
  expect(sent).toContain('SELECT 1')
  expect(sent).not.toMatch(/set_config|\bSET\b/i)
})

test('a compute that sleeps is waited for', async () => {
  const { driver, ref, create, lines } = await neonScene(fake())
  await create()
  fake().direct.sleepFor(3)
  fake().pooler.sleepFor(1)
  const told: string[] = []
  await driver.openBranch(ref, driverCall({ onProgress: (text) => told.push(text) }))
  expect(told[0]).toContain('to wake')
  expect(await lines()).toEqual(LINES)
})

test('a wait for a compute ends when the call is canceled', async () => {
  const { driver, ref, create } = await neonScene(fake())
  await create()
  fake().direct.sleepFor(1_000)
  onTestFinished(() => fake().direct.sleepFor(0))
  const cancel = new AbortController()
  const reason = new Error('canceled')
  const call = driverCall({ signal: cancel.signal, onProgress: () => cancel.abort(reason) })
  await expect(driver.openBranch(ref, call)).rejects.toBe(reason)
})

test('a role that Postgres does not let in is told at once, and for good', async () => {
  const { driver, project, ref, create } = await neonScene(fake())
  await create()
  await sql(embeddedServerUrl(), `ALTER ROLE ${project.role} NOLOGIN`)
  await expect(driver.openBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'branch_refused_login',
    retryable: false,
  })
})

test('between several databases nobody guesses', async () => {
  const { driver, project, ref, create } = await neonScene(fake())
  await create()
  project.moreDatabases.push({ name: 'analytics', owner_name: 'analyst' })
  await expect(driver.openBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'database_unclear',
    retryable: false,
    message: expect.stringMatching(/"neondb", "analytics"/) as string,
  })
  const chosen = await neonAt(fake(), { database: 'neondb' }).openBranch(ref, driverCall())
  expect(chosen.user).toBe(project.role)
  const missing = neonAt(fake(), { database: 'neon' }).openBranch(ref, driverCall())
  await expect(missing).rejects.toMatchObject({ code: 'database_missing', retryable: false })
})

test('the role is the owner of the database or the one that is named, and may log in', async () => {
  const { project, driver, ref, create } = await neonScene(fake())
  await create()
  expect((await driver.openBranch(ref, driverCall())).user).toBe(project.role)
  project.moreRoles.push({ name: 'reader', authentication_method: 'no_login' })
  const asReader = neonAt(fake(), { role: 'reader' }).openBranch(ref, driverCall())
  await expect(asReader).rejects.toMatchObject({ code: 'role_cannot_log_in', retryable: false })
  const asNobody = neonAt(fake(), { role: 'nobody' }).openBranch(ref, driverCall())
  await expect(asNobody).rejects.toMatchObject({
    code: 'role_missing',
    retryable: false,
    message: expect.stringContaining('"reader"') as string,
  })
})

test('a project that stores no passwords is told what to change', async () => {
  const { driver, project, ref, create } = await neonScene(fake())
  await create()
  project.storesPasswords = false
  await expect(driver.openBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'password_unknown',
    retryable: false,
    message: expect.stringContaining('store_passwords') as string,
  })
})

function portOf(url: string | undefined): number {
  return Number(new URL(url ?? 'http://none').port)
}
