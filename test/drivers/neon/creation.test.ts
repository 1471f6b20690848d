import { expect, onTestFinished, test, vi } from 'vitest'
import { sharedBranchRef } from '../../../src/domain/branch-ref.ts'
import { ActionFailure } from '../../../src/domain/failure.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import { embeddedServerUrl, onDatabase, sql } from '../postgres-under-test.ts'
import { startFakeNeon } from './fake-neon.ts'
import { branchByHand, LINES, neonScene, useFakeNeon } from './neon-scene.ts'
import { neonAt } from './neon-under-test.ts'

const fake = useFakeNeon()
const HOUR_MS = 60 * 60_000

test('a branch is made by one request that carries its name, its owner and its compute', async () => {
  const { project, ref, create } = await neonScene(fake())
  await create()
  const creations = fake()
    .heard()
    .filter(({ line }) => line === `POST /projects/${project.id}/branches`)
  expect(creations.map(({ body }) => body)).toEqual([
    {
      branch: { name: ref.name },
      endpoints: [{ type: 'read_write' }],
      annotation_value: { holdpoint: expect.any(String) as string },
    },
  ])
})

test('a branch lives without end, and a ttl ends it later each time its creation is repeated', async () => {
  const { project, ref, create, branch, changes } = await neonScene(fake())
  await create()
  await create()
  expect(branch().expiresAt).toBeUndefined()
  expect(changes()).toHaveLength(1)

  const driver = neonAt(fake(), { ttl: '2 hours' })
  const request = { source: project.id, ref }
  await driver.createBranch(request, driverCall())
  expectIn(branch().expiresAt, 2 * HOUR_MS)
  branch().expiresAt = new Date(Date.now() + HOUR_MS).toISOString()
  await driver.createBranch(request, driverCall())
  expectIn(branch().expiresAt, 2 * HOUR_MS)
})

test('with a ttl the branch expires from its first moment', async () => {
  const { create, branch, changes } = await neonScene(fake(), { ttl: '30 days' })
  await create()
  expectIn(branch().expiresAt, 30 * 24 * HOUR_MS)
  expect(changes()).toHaveLength(1)
})

test.each(['', 'soon', '0 seconds', '31 days', '-1 hour'])('the ttl %j is refused', (ttl) => {
  expect(() => neonAt(fake(), { ttl })).toThrow(/neon\(\{ ttl \}\) is .*'30 days'/)
})

test('a project without room is told before anything is asked for, with the numbers', async () => {
  const { project, newRef, create, changes, lines } = await neonScene(fake())
  project.branchesLimit = 2
  await create()
  const failure = await create(newRef()).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'branch_limit_reached', retryable: false })
  expect(String(failure)).toMatch(/has 2 of the 2 branches that its plan \(launch_v3\) allows/)
  expect(changes()).toHaveLength(1)
  await create()
  expect(await lines()).toEqual(LINES)
})

test('room that is gone by the time of the request is told too', async () => {
  const { project, create } = await neonScene(fake())
  project.branchesLimit = 1
  fake().fault({
    on: new RegExp(`${project.id}/branches/count`),
    gives: { status: 200, body: { count: 0 } },
  })
  await expect(create()).rejects.toMatchObject({ code: 'branch_limit_reached', retryable: false })
})

test('two processes that make the same branch at once make one', async () => {
  const { project, ref, create, lines, changes } = await neonScene(fake())
  const other = neonAt(fake())
  let waiting = 0
  const confirm = async () => {
    waiting += 1
    await vi.waitFor(() => expect(waiting).toBe(2))
  }
  const request = { source: project.id, ref }
  await Promise.all([
    other.createBranch(request, driverCall({ confirm })),
    neonAt(fake()).createBranch(request, driverCall({ confirm })),
  ])
  expect(changes()).toHaveLength(2)
  expect(project.branches.size).toBe(2)
  await create()
  expect(await lines()).toEqual(LINES)
})

test('a creation that was given up after Neon took it is completed by the next one', async () => {
  const { driver, project, ref, create, lines, changes } = await neonScene(fake())
  slowDown(400)
  const cancel = new AbortController()
  const call = driverCall({ signal: cancel.signal })
  const creation = driver.createBranch({ source: project.id, ref }, call)
  await vi.waitFor(() => expect(changes()).toHaveLength(1))
  cancel.abort(new Error('given up'))
  await expect(creation).rejects.toThrow('given up')
  await expect(driver.openBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'branch_incomplete',
    retryable: true,
  })
  await create()
  expect(changes()).toHaveLength(1)
  expect(await lines()).toEqual(LINES)
})

test('a branch that Neon failed to make is made anew, once', async () => {
  const { project, create, lines, changes } = await neonScene(fake())
  fake().state.failing.push('create_branch')
  await create()
  expect(await lines()).toEqual(LINES)
  expect(changes().map((line) => line.split(' ')[0])).toEqual(['POST', 'DELETE', 'POST'])
  expect(project.branches.size).toBe(2)
})

test('a branch that Neon fails to make again is left to a later try, and is not there meanwhile', async () => {
  const { project, create } = await neonScene(fake())
  fake().state.failing.push('create_branch', 'create_branch')
  await expect(create()).rejects.toMatchObject({ code: 'neon_operation_failed', retryable: true })
  expect(project.branches.size).toBe(1)
  await create()
})

test('a branch whose compute somebody deleted gets one when its creation is repeated', async () => {
  const { create, branch, lines } = await neonScene(fake())
  await create()
  branch().endpointId = undefined
  await create()
  expect(await lines()).toEqual(LINES)
})

test('the parent is chosen by name or by id, and must be there', async () => {
  const { project, newRef } = await neonScene(fake())
  const staging = await branchByHand(fake(), project, { name: 'staging' })
  await branchByHand(fake(), project, { name: 'staging-2' })
  const database = onDatabase(embeddedServerUrl(), staging.database)
  await sql(database, `INSERT INTO lines (line) VALUES ('staged')`)
  for (const parent of ['staging', staging.id]) {
    const driver = neonAt(fake(), { parent })
    const ref = newRef()
    await driver.createBranch({ source: project.id, ref }, driverCall())
    const { url } = await driver.openBranch(ref, driverCall())
    expect(await sql(url.reveal(), 'SELECT line FROM lines ORDER BY id')).toContainEqual({
      line: 'staged',
    })
  }
  const driver = neonAt(fake(), { parent: 'stag' })
  await expect(
    driver.createBranch({ source: project.id, ref: newRef() }, driverCall()),
  ).rejects.toMatchObject({ code: 'parent_missing', retryable: false })
})

test('a resource may have another id than its project', async () => {
  const { project, newRef } = await neonScene(fake())
  const driver = neonAt(fake(), { project: (id) => (id === 'res_1' ? project.id : id) })
  const made = newRef()
  const ref = { ...made, owner: { ...made.owner, resourceId: 'res_1' } }
  await driver.createBranch({ source: 'res_1', ref }, driverCall())
  expect((await driver.openBranch(ref, driverCall())).url.reveal()).toContain(project.role)
  await driver.deleteBranch(ref, driverCall())
  expect(project.branches.size).toBe(1)
  await expect(driver.createBranch({ source: 'res_2', ref }, driverCall())).rejects.toThrow(
    /no Neon project "res_2"/,
  )
})

test.each(['neon.example', 'ftp://neon', 'https://a:b@neon', 'not a url'])(
  'the address %j is refused, and not repeated in the error',
  (url) => {
    expect(() => neonAt({ url })).toThrow(TypeError)
    expect(() => neonAt({ url })).not.toThrow(url)
  },
)

test('a name that Neon cannot have is refused before anything is asked', async () => {
  const { driver, project, ref, changes } = await neonScene(fake())
  const long = { ...ref, name: 'x'.repeat(257) }
  await expect(
    driver.createBranch({ source: project.id, ref: long }, driverCall()),
  ).rejects.toMatchObject({ code: 'branch_name_invalid', retryable: false })
  expect(changes()).toEqual([])
})

test('branches are not shared, and a branch of a git branch is neither made nor deleted', async () => {
  const { driver, project } = await neonScene(fake())
  expect(driver.sharing).toBeUndefined()
  const ref = sharedBranchRef({
    installationId: 'icfg_1',
    resourceId: project.id,
    projectId: 'prj_1',
    gitBranch: 'main',
    action: 'branch',
  })
  for (const work of [
    driver.createBranch({ source: project.id, ref }, driverCall()),
    driver.deleteBranch(ref, driverCall()),
  ])
    await expect(work).rejects.toMatchObject({ code: 'branch_shared', retryable: false })
})

test('creations and deletions all get their turn where one operation locks the whole project', async () => {
  const locking = await startFakeNeon(embeddedServerUrl())
  onTestFinished(() => locking.close())
  locking.settings.locks = 'project'
  const { driver, project, newRef, create, lines } = await neonScene(locking)
  const [kept, ...others] = [newRef(), newRef(), newRef(), newRef()]
  await Promise.all([kept, ...others].map((ref) => create(ref)))
  await Promise.all(others.map((ref) => driver.deleteBranch(ref, driverCall())))
  expect(project.branches.size).toBe(2)
  expect(await lines(kept)).toEqual(LINES)
})

test('after close no more work is taken, and another worker may do it', async () => {
  const { driver, project, create } = await neonScene(fake())
  slowDown(800)
  const creation = create().catch((error: unknown) => error)
  await vi.waitFor(() => expect(project.branches.size).toBe(2))
  await driver.close()
  await driver.close()
  const failures = [await creation, await create().catch((error: unknown) => error)]
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(ActionFailure)
    expect(failure).toMatchObject({ code: 'driver_closed', retryable: true })
  }
})

function slowDown(operationMs: number): void {
  fake().state.operationMs = operationMs
  onTestFinished(() => {
    fake().state.operationMs = 10
  })
}

function expectIn(time: string | undefined, ms: number): void {
  const inMs = Date.parse(time ?? '') - Date.now()
  expect(inMs).toBeGreaterThan(ms - 10_000)
  expect(inMs).toBeLessThanOrEqual(ms)
}
