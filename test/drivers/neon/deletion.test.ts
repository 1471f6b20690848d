import { expect, test } from 'vitest'
import { driverCall } from '../../../src/testing/driver-call.ts'
import { embeddedServerUrl, sql } from '../postgres-under-test.ts'
import { branchByHand, neonScene, useFakeNeon } from './neon-scene.ts'
import { neonAt } from './neon-under-test.ts'

const fake = useFakeNeon()

test('a deletion ends when Neon has nothing more to do and the data is gone', async () => {
  const { driver, project, ref, create, branch } = await neonScene(fake())
  await create()
  const { database } = branch()
  await driver.deleteBranch(ref, driverCall())
  expect(project.operations.map(({ status }) => status)).not.toContain('running')
  expect(project.operations.map(({ status }) => status)).not.toContain('scheduling')
  expect(await databasesNamed(database)).toEqual([])
})

test('a deletion whose answer was lost is waited for as well', async () => {
  const { driver, project, ref, create, branch, changes } = await neonScene(fake())
  await create()
  const { database } = branch()
  fake().fault({ on: new RegExp(`DELETE .*${project.id}`), gives: 'lost' })
  await driver.deleteBranch(ref, driverCall())
  expect(await databasesNamed(database)).toEqual([])
  expect(changes()).toHaveLength(2)
})

test('a deletion that never came to Neon fails and is done by the next try', async () => {
  const { driver, project, ref, create } = await neonScene(fake())
  await create()
  fake().fault({ on: new RegExp(`DELETE .*${project.id}`), gives: 'not heard' })
  await expect(driver.deleteBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'neon_unavailable',
    retryable: true,
  })
  expect(project.branches.size).toBe(2)
  await driver.deleteBranch(ref, driverCall())
  expect(project.branches.size).toBe(1)
})

test('a branch that somebody branched from stays, and goes when its children are gone', async () => {
  const { driver, project, ref, create, branch } = await neonScene(fake())
  await create()
  const child = await branchByHand(fake(), project, { name: 'experiment', parent: branch() })
  await expect(driver.deleteBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'branch_has_children',
    retryable: true,
    message: expect.stringContaining('"experiment"') as string,
  })
  expect(branch().state).toBe('ready')
  fake().state.deleteBranch(project, child)
  await driver.deleteBranch(ref, driverCall())
  expect(project.branches.size).toBe(1)
})

test.each([
  ['protected', 'isProtected'],
  ['the default', 'isDefault'],
] as const)(
  'a branch of ours that somebody made %s is not even asked to be deleted',
  async (_what, quality) => {
    const { driver, ref, create, branch, changes } = await neonScene(fake())
    await create()
    branch()[quality] = true
    await expect(driver.deleteBranch(ref, driverCall())).rejects.toMatchObject({
      code: 'branch_protected',
      retryable: true,
    })
    expect(changes()).toHaveLength(1)
    branch()[quality] = false
    await driver.deleteBranch(ref, driverCall())
  },
)

test('a branch that somebody renamed is theirs: neither listed nor deleted, and its name is free', async () => {
  const { driver, project, ref, create, branch } = await neonScene(fake())
  await create()
  const kept = branch()
  kept.name = 'kept by Ann'
  expect(await driver.listBranches(driverCall())).toEqual([])
  await driver.deleteBranch(ref, driverCall())
  await create()
  await driver.deleteBranch(ref, driverCall())
  expect([...project.branches.values()]).toContain(kept)
})

test('a list reads every page of projects and branches', async () => {
  const one = await neonScene(fake())
  const other = await neonScene(fake())
  const refs = [one.newRef(), one.newRef(), one.newRef(), other.newRef()]
  await Promise.all(
    refs.map((ref) => (ref.owner.resourceId === one.project.id ? one : other).create(ref)),
  )
  fake().settings.largestPage = 1
  try {
    const listed = await one.driver.listBranches(driverCall())
    expect(listed.map(({ ref }) => ref.name).sort()).toEqual(refs.map(({ name }) => name).sort())
    await one.driver.deleteBranch(refs[2] ?? one.ref, driverCall())
    expect(await one.driver.listBranches(driverCall())).toHaveLength(3)
  } finally {
    fake().settings.largestPage = 10_000
  }
})

test('a list of given projects asks for those only, and passes over what is no project', async () => {
  const one = await neonScene(fake())
  const other = await neonScene(fake())
  await one.create()
  await other.create()
  const driver = neonAt(fake(), { projects: [one.project.id, 'gone-away-1', '../projects'] })
  const before = fake().heard().length
  const listed = await driver.listBranches(driverCall())
  expect(listed.map(({ ref }) => ref)).toEqual([one.ref])
  const asked = fake()
    .heard()
    .slice(before)
    .map(({ line }) => line)
    .sort()
  expect(asked).toEqual(
    ['gone-away-1', one.project.id].map((id) => `GET /projects/${id}/branches`).sort(),
  )
})

async function databasesNamed(name: string): Promise<unknown[]> {
  return await sql(embeddedServerUrl(), 'SELECT 1 FROM pg_database WHERE datname = $1', [name])
}
