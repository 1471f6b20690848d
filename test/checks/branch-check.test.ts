import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { sqlFiles } from '../../src/actions/sql-files.ts'
import { type BranchCheck, branchCheck } from '../../src/checks/branch-check.ts'
import type { CheckCall } from '../../src/checks/define-check.ts'
import { migrationsApplied } from '../../src/checks/migrations-applied.ts'
import { smokeQuery } from '../../src/checks/smoke-query.ts'
import type { ActionKey } from '../../src/domain/action-key.ts'
import { type BranchRef, branchRef, sharedBranchRef } from '../../src/domain/branch-ref.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { silentLog } from '../../src/log.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { newBranch, newSource, sql } from '../drivers/postgres-under-test.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

// On a real branch of the Postgres of the test run, with the rights of its role.

const server = ownPostgresUrl()
const driver = postgres({ server })
let source: string
let ref: BranchRef<ActionKey>
let call: CheckCall

afterAll(() => driver.close())
beforeEach(async () => {
  source = await newSource(server, `CREATE TABLE products AS SELECT 1 AS id`)
  ref = newBranch(server, source)
  await driver.createBranch({ source, ref }, driverCall())
  const { installationId, deploymentId, resourceId } = ref.owner
  call = {
    ...driverCall(),
    key: { installationId, deploymentId, checkRunId: 'ckr_1' },
    deployment: { id: deploymentId, environment: 'preview', standing: 'passed' },
    resourceId,
    action: ref.owner,
    log: silentLog,
  }
})

const checking = (check: BranchCheck) =>
  branchCheck({ name: 'Check', driver, action: 'branch', check })
const conclude = (check: BranchCheck) => checking(check).run(call)

describe('a check of a branch', () => {
  test('runs after its action, on previews unless said, with the driver prepared', () => {
    const definition = checking(smokeQuery('select 1'))
    expect(definition).toMatchObject({ after: 'branch', targets: ['preview'], driver })
    const elsewhere = branchCheck({
      name: 'Check',
      driver,
      action: 'branch',
      targets: ['staging'],
      check: smokeQuery('select 1'),
    })
    expect(elsewhere.targets).toEqual(['staging'])
  })

  test('gets the branch that the action made, as its own role', async () => {
    const result = await conclude(async (branch) => {
      const rows = await sql(branch.url.reveal(), 'SELECT current_user AS role, id FROM products')
      return { conclusion: 'succeeded', output: { rows } }
    })
    expect(result.output).toEqual({ rows: [{ role: ref.name, id: 1 }] })
  })

  test('gets the branch that the deployments of a git branch share', async () => {
    const { action, resourceId, installationId, deploymentId } = ref.owner
    const shared = sharedBranchRef({
      installationId,
      resourceId,
      action,
      projectId: 'prj_1',
      gitBranch: 'feature/x',
    })
    const claim = { source, ref: shared, deploymentId }
    await driver.sharing?.claimBranch({ ...claim, onPush: 'reuse' }, driverCall())
    onTestFinished(async () => {
      await driver.sharing?.releaseClaim(claim, driverCall())
      await driver.sharing?.deleteUnclaimed({ ref: shared, unclaimedForMs: 0 }, driverCall())
    })
    const definition = branchCheck({
      name: 'Check',
      driver,
      action: 'branch',
      scope: 'git-branch',
      check: (branch) =>
        Promise.resolve({ conclusion: 'succeeded', text: branch.database } as const),
    })
    const deployment = { ...call.deployment, projectId: 'prj_1', gitBranch: 'feature/x' }
    expect(await definition.run({ ...call, deployment })).toMatchObject({ text: shared.name })
    // One without git has its own.
    expect(await definition.run(call)).toMatchObject({ text: ref.name })
  })

  test('blanks the password of the branch wherever it tells it', async () => {
    let password = ''
    const result = await conclude((branch) => {
      password = branch.password.reveal()
      return Promise.resolve({
        conclusion: 'failed',
        text: `refused ${branch.url.reveal()}`,
        output: { log: [{ line: `password=${password}` }] },
      })
    })
    expect(result).toMatchObject({ conclusion: 'failed', output: { log: [{ line: /redacted/ }] } })
    expect(JSON.stringify(result)).not.toContain(password)
  })

  test('is neutral where nobody knows whose branch is meant', async () => {
    const { action: _, ...unknown } = call
    expect(await checking(smokeQuery('select 1')).run(unknown)).toMatchObject({
      conclusion: 'neutral',
    })
  })

  test('fails for good when the branch is missing', async () => {
    const action = branchRef({ ...ref.owner, deploymentId: 'dpl_none' }).owner
    await expect(checking(smokeQuery('select 1')).run({ ...call, action })).rejects.toMatchObject({
      code: 'branch_missing',
      retryable: false,
    })
  })
})

describe('a smoke query', () => {
  test('succeeds when the branch answers it', async () => {
    expect(await conclude(smokeQuery('SELECT count(*) FROM products'))).toMatchObject({
      conclusion: 'succeeded',
    })
  })

  test('fails with the words of the server when it does not', async () => {
    expect(await conclude(smokeQuery('SELECT price FROM products'))).toEqual({
      conclusion: 'failed',
      text: 'The query failed on the branch (42703: column "price" does not exist).',
    })
  })

  test('changes nothing', async () => {
    expect(await conclude(smokeQuery('DELETE FROM products'))).toMatchObject({
      conclusion: 'failed',
      text: expect.stringContaining('25006'),
    })
  })

  test('is tried again when the server does not answer', async () => {
    const check = smokeQuery('SELECT pg_terminate_backend(pg_backend_pid())')
    await expect(conclude(check)).rejects.toMatchObject({
      code: 'branch_unanswered',
      retryable: true,
    })
  })

  test('ends with its call', async () => {
    const aborter = new AbortController()
    const running = checking(smokeQuery('SELECT pg_sleep(60)')).run({
      ...call,
      signal: aborter.signal,
    })
    aborter.abort(new Error('canceled'))
    await expect(running).rejects.toThrow('canceled')
  })
})

describe('migrations', () => {
  let directory: string
  const write = (name: string, text: string) => writeFile(join(directory, name), text)
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdpoint-checks-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    await write('001.sql', 'CREATE TABLE a (id int)')
    await write('002.sql', 'CREATE TABLE b (id int)')
  })
  const apply = async () =>
    sqlFiles(directory)(await driver.openBranch(ref, driverCall()), {
      ...call,
      key: ref.owner,
    })

  test('that are applied are told as such', async () => {
    await apply()
    expect(await conclude(migrationsApplied(directory))).toEqual({
      conclusion: 'succeeded',
      text: 'All 2 migrations are applied to the branch.',
    })
  })

  test('that are missing or have changed are named', async () => {
    await apply()
    await write('002.sql', 'CREATE TABLE c (id int)')
    await write('003.sql', 'SELECT 1')
    expect(await conclude(migrationsApplied(directory))).toEqual({
      conclusion: 'failed',
      text: 'Not applied to the branch: 003.sql. Changed since they were applied: 002.sql.',
    })
  })

  test('are all missing on a branch that never had any, but those it came with', async () => {
    expect(await conclude(migrationsApplied(directory, { after: '001.sql' }))).toEqual({
      conclusion: 'failed',
      text: 'Not applied to the branch: 002.sql.',
    })
  })
})
