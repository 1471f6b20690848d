import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { branchDatabase, type BranchDatabaseSettings } from '../../src/actions/branch-database.ts'
import type { Secret } from '../../src/domain/secret.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { newSource, remainsOf, sql } from '../drivers/postgres-under-test.ts'
import { gate } from '../workflows/branch-provider.ts'
import { actionCall } from './action-call.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

// Against the Postgres of the test run.

const server = ownPostgresUrl()
const driver = postgres({ server })
afterAll(() => driver.close())

let source: string
beforeEach(async () => {
  source = await newSource(server, `CREATE TABLE lines AS SELECT 'hello' AS line`)
})

type Action = ReturnType<typeof branchDatabase>

const shared = (settings: Partial<BranchDatabaseSettings<Record<never, never>>> = {}): Action =>
  branchDatabase({ name: 'Branch', driver, scope: 'git-branch', keepFor: '0s', ...settings })

/** A deployment of a git branch, and what Holdpoint does for it. */
function deployment(action: Action, deploymentId: string, gitBranch?: string) {
  const { call } = actionCall({}, source)
  const key = { ...call.key, deploymentId }
  const details = { ...call.deployment, id: deploymentId, projectId: 'prj_1' }
  const own = { ...call, key, deployment: gitBranch ? { ...details, gitBranch } : details }
  return {
    key,
    /** Runs all steps of the action; answers where the build's database is. */
    async hold({ provisioned = false } = {}): Promise<{ name: string; url: string }> {
      const reference = provisioned ? undefined : await action.provision?.(own)
      await action.migrate?.({ ...own, reference: reference ?? { branch: '' } })
      await action.ready?.({ ...own, reference: reference ?? { branch: '' } })
      const outcome = await action.outcome?.({ ...own, reference: reference ?? { branch: '' } })
      return {
        name: reference?.branch ?? '',
        url: (outcome?.['DATABASE_URL'] as Secret | undefined)?.reveal() ?? '',
      }
    },
    provision: async (changes: Partial<typeof call>) => action.provision?.({ ...own, ...changes }),
    cancel: () => action.deprovision?.(own),
    /** Months later nobody knows any more which git branch it was of. */
    cleanUp: async () => {
      const { deployment: _forgotten, ...rest } = own
      await action.deprovision?.(rest)
    },
  }
}

const linesIn = async (url: string) =>
  (await sql<{ line: string }>(url, 'SELECT line FROM lines ORDER BY 1')).map(({ line }) => line)
const write = (url: string) => sql(url, `INSERT INTO lines VALUES ('mine')`)

async function listed(action: Action) {
  const { call } = actionCall({}, source)
  const objects = (await action.list?.({ ...call, action: call.key.action })) ?? []
  const ours = await driver.listBranches(call)
  const names = ours.filter((branch) => branch.source === source).map(({ ref }) => ref.name)
  return objects.filter(({ name }) => names.includes(name))
}

describe('deployments of one git branch', () => {
  test('share one database, which goes with the last of them', async () => {
    const action = shared()
    const one = deployment(action, 'dpl_1', 'feature/x')
    const two = deployment(action, 'dpl_2', 'feature/x')
    const { name, url } = await one.hold()
    await write(url)
    expect(await two.hold()).toEqual({ name, url })
    expect(await linesIn(url)).toEqual(['hello', 'mine'])
    expect((await listed(action)).map(({ owner }) => owner)).toEqual([one.key, two.key])

    await one.cancel()
    expect(await linesIn(url)).toEqual(['hello', 'mine'])
    await two.cleanUp()
    expect(await remainsOf(server, name)).toEqual([])
    await one.cleanUp()
  })

  test('get a fresh copy at each push where that is asked for, but only one each', async () => {
    const action = shared({ onPush: 'reset' })
    const one = deployment(action, 'dpl_1', 'feature/x')
    const two = deployment(action, 'dpl_2', 'feature/x')
    const { url } = await one.hold()
    await write(url)
    await one.hold()
    expect(await linesIn(url)).toEqual(['hello', 'mine'])
    await two.hold()
    expect(await linesIn(url)).toEqual(['hello'])
    await write(url)
    // A step of an earlier deployment that is repeated takes nothing from the later one.
    await one.hold()
    expect(await linesIn(url)).toEqual(['hello', 'mine'])
    await one.cancel()
    await two.cancel()
  })

  test('get their database back when a further push was canceled while it made it anew', async () => {
    const action = shared({ onPush: 'reset' })
    const one = deployment(action, 'dpl_1', 'feature/x')
    const { name, url } = await one.hold()
    const two = deployment(action, 'dpl_2', 'feature/x')
    const { call } = actionCall({}, source)
    const cancel = new AbortController()
    const copying = two.provision({
      signal: cancel.signal,
      progress: (text) => text.startsWith('copying') && cancel.abort(new Error('canceled')),
    })
    await expect(copying).rejects.toThrow('canceled')
    expect((await driver.listBranches(call)).find(({ ref }) => ref.name === name)).toMatchObject({
      complete: false,
    })
    await expect(one.hold({ provisioned: true })).rejects.toMatchObject({
      code: 'branch_incomplete',
      retryable: true,
    })
    await two.cleanUp()
    expect(await linesIn(url)).toEqual(['hello'])
    await one.cancel()
    expect(await remainsOf(server, name)).toEqual([])
  })

  test('wait for one another’s steps on it', async () => {
    const begun = gate()
    const release = gate()
    const steps: string[] = []
    const action = shared({
      async migrate(_branch, { key }) {
        steps.push(`${key.deploymentId} begins`)
        begun.open()
        if (key.deploymentId === 'dpl_1') await release.opened
        steps.push(`${key.deploymentId} ends`)
      },
    })
    const one = deployment(action, 'dpl_1', 'feature/x')
    const two = deployment(action, 'dpl_2', 'feature/x')
    const first = one.hold()
    await begun.opened
    const second = two.hold()
    const waiting = async () => {
      const [row] = await sql<{ count: string }>(
        server,
        `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
      )
      return Number(row?.count)
    }
    await expect.poll(waiting).toBeGreaterThan(0)
    release.open()
    await Promise.all([first, second])
    expect(steps).toEqual(['dpl_1 begins', 'dpl_1 ends', 'dpl_2 begins', 'dpl_2 ends'])
    await one.cancel()
    await two.cancel()
  })
})

test('deployments of different git branches, and those without git, have nothing in common', async () => {
  const action = shared()
  const all = [
    deployment(action, 'dpl_1', 'feature/x'),
    deployment(action, 'dpl_2', 'feature/y'),
    deployment(action, 'dpl_3'),
    deployment(action, 'dpl_4'),
  ]
  const names = (await Promise.all(all.map((one) => one.hold()))).map(({ name }) => name)
  expect(new Set(names).size).toBe(4)
  await Promise.all(all.map((one) => one.cleanUp()))
  for (const name of names) expect(await remainsOf(server, name)).toEqual([])
})

test('a branch that nobody claims any more is kept for a while, told as such, and taken up again', async () => {
  const action = shared({ keepFor: '1 hour' })
  const one = deployment(action, 'dpl_1', 'feature/x')
  const { name, url } = await one.hold()
  await write(url)
  await one.cancel()
  const [kept] = await listed(action)
  expect(kept).toMatchObject({ name, complete: true })
  expect(kept?.owner).toBeUndefined()
  expect((kept?.expiresAtMs ?? 0) - (kept?.sinceMs ?? 0)).toBe(3_600_000)
  const { call } = actionCall({}, source)
  expect(await action.expire?.({ ...call, action: 'x', name })).toBe(false)

  const two = deployment(action, 'dpl_2', 'feature/x')
  await two.hold()
  expect(await linesIn(url)).toEqual(['hello', 'mine'])
  await two.cancel()
  const impatient = shared({ keepFor: '0s' })
  expect(await impatient.expire?.({ ...call, action: 'x', name })).toBe(true)
  expect(await remainsOf(server, name)).toEqual([])
  expect(await impatient.expire?.({ ...call, action: 'x', name })).toBe(true)
})

test('a cleanup finds the claim also after the configuration went back to one branch for each', async () => {
  const { name } = await deployment(shared(), 'dpl_1', 'feature/x').hold()
  await deployment(branchDatabase({ name: 'Branch', driver, keepFor: '0s' }), 'dpl_1').cleanUp()
  expect(await remainsOf(server, name)).toEqual([])
})

test('another action’s branches are none of its own', async () => {
  const action = shared()
  const one = deployment(action, 'dpl_1', 'feature/x')
  await one.hold()
  const { call } = actionCall({}, source)
  expect(await action.list?.({ ...call, action: 'another' })).toEqual([])
  await one.cancel()
})

test('the branch is migrated, then probed until it is ready, before its address is given out', async () => {
  const steps: string[] = []
  let missing = 1
  const action = branchDatabase({
    name: 'Branch',
    driver,
    async migrate(branch) {
      await sql(branch.url.reveal(), `INSERT INTO lines VALUES ('migrated')`)
      steps.push('migrate')
    },
    async ready(branch) {
      steps.push(`ready: ${(await linesIn(branch.url.reveal())).join()}`)
      return missing-- > 0 ? 'The index is not built yet.' : undefined
    },
  })
  const one = deployment(action, 'dpl_1')
  expect(await linesIn((await one.hold()).url)).toEqual(['hello', 'migrated'])
  expect(steps).toEqual(['migrate', 'ready: hello,migrated', 'ready: hello,migrated'])
  await one.cancel()
})

describe('with a policy', () => {
  const calling = (action: Action, name: string) => {
    const { call } = actionCall({}, source)
    return action.evict?.({ ...call, action: 'x', name })
  }

  test('the database of a protected git branch is made anew by no push, and evicted by nobody', async () => {
    const action = shared({ onPush: 'reset', policy: { environments: ['production'] } })
    const one = deployment(action, 'dpl_1', 'main')
    const two = deployment(action, 'dpl_2', 'main')
    const { name, url } = await one.hold()
    await write(url)
    await two.hold()
    expect(await linesIn(url)).toEqual(['hello', 'mine'])
    const keeping = shared({ keepFor: '1 hour', policy: {} })
    await deployment(keeping, 'dpl_1', 'main').cancel()
    await deployment(keeping, 'dpl_2', 'main').cancel()
    expect(await calling(keeping, name)).toBe(false)
    expect(await linesIn(url)).toEqual(['hello', 'mine'])
    expect(await shared().expire?.({ ...actionCall({}, source).call, action: 'x', name })).toBe(
      true,
    )
  })

  test('without one, every push makes that anew too, as it was told to', async () => {
    const action = shared({ onPush: 'reset' })
    const one = deployment(action, 'dpl_1', 'main')
    const two = deployment(action, 'dpl_2', 'main')
    const { url } = await one.hold()
    await write(url)
    await two.hold()
    expect(await linesIn(url)).toEqual(['hello'])
    await one.cancel()
    await two.cancel()
  })

  test('what is merely kept is evicted before its time, and what somebody claims is not', async () => {
    const action = shared({ keepFor: '1 hour', policy: {} })
    const one = deployment(action, 'dpl_1', 'feature/x')
    const { name, url } = await one.hold()
    expect(await calling(action, name)).toBe(false)
    expect(await linesIn(url)).toEqual(['hello'])
    await one.cancel()
    expect(await calling(action, name)).toBe(true)
    expect(await remainsOf(server, name)).toEqual([])
    expect(await calling(action, name)).toBe(true)
  })

  test('a list tells for what a database without a deployment counts, and the name is known before', async () => {
    const action = shared({ keepFor: '1 hour', policy: {} })
    const one = deployment(action, 'dpl_1', 'feature/x')
    const { call } = actionCall({}, source)
    const about = { ...call, key: one.key }
    const details = { ...call.deployment, projectId: 'prj_1', gitBranch: 'feature/x' }
    const { name } = await one.hold()
    expect(action.nameOf?.({ ...about, deployment: details })).toBe(name)
    await one.cancel()
    expect(await listed(action)).toMatchObject([
      {
        name,
        gitBranch: 'feature/x',
        resource: { installationId: 'icfg_A', resourceId: source },
      },
    ])
    expect(await calling(action, name)).toBe(true)
  })

  test('those who count for one quota wait for one another, and others do not', async () => {
    const action = shared({ policy: {} })
    const { call } = actionCall({}, source)
    const steps: string[] = []
    const begun = gate()
    const release = gate()
    const at = (resourceId: string, work: () => Promise<void>) =>
      action.exclusively?.(
        { ...call, action: 'x', place: { installationId: 'icfg_A', resourceId } },
        work,
      )
    const first = at(source, async () => {
      begun.open()
      await release.opened
      steps.push('first')
    })
    await begun.opened
    const second = at(source, async () => void steps.push('second'))
    await at('another', async () => void steps.push('another'))
    release.open()
    await Promise.all([first, second])
    expect(steps).toEqual(['another', 'first', 'second'])
  })
})

describe('a declaration that cannot be kept is refused when it is read', () => {
  test('sharing with a driver that keeps no claims', () => {
    const { sharing: _none, ...plain } = driver
    expect(() => shared({ driver: plain })).toThrow(/scope: 'git-branch'.*postgres.*use scope/)
  })

  test('a time that is none', () => {
    expect(() => shared({ keepFor: 'a while' })).toThrow(/keepFor.*"a while".*write '1 hour'/)
  })
})
