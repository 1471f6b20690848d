import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BranchRef, branchRef, sharedBranchRef } from '../../src/domain/branch-ref.ts'
import type { ResourceDriver } from '../../src/drivers/driver.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import type { DriverUnderTest } from '../../src/testing/driver-under-test.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { type Cut, startPostgresProxy } from './postgres-proxy.ts'
import {
  dropSource,
  embeddedServerUrl,
  newName,
  postgresUnderTest,
  sql,
} from './postgres-under-test.ts'

// As an administrator who is no superuser: such a one makes more statements, and grants that must go again.
let admin: string
let subject: DriverUnderTest
let source: string

beforeAll(async () => {
  admin = newName()
  await sql(embeddedServerUrl(), `CREATE ROLE ${admin} LOGIN CREATEDB CREATEROLE PASSWORD 'plain'`)
  subject = postgresUnderTest(adminUrl())
  source = await subject.makeSource(['one', 'two'])
})
afterAll(async () => {
  await subject.close()
  await dropSource(embeddedServerUrl(), source)
  await sql(embeddedServerUrl(), `DROP ROLE ${admin}`)
})

interface Story {
  /** Gets what the last attempt left, which passed its check. */
  readonly prepare: (left?: BranchRef) => Promise<BranchRef>
  readonly act: (driver: ResourceDriver, ref: BranchRef, attempt: number) => Promise<unknown>
  readonly check: (ref: BranchRef, attempt: number) => Promise<void>
}

const stories: Record<string, Story> = {
  'a creation': {
    prepare: async () => newRef(),
    act: async (driver, ref) => driver.createBranch({ source, ref }, driverCall()),
    check: async (ref) => {
      expect(await linesOf(ref)).toEqual(['one', 'two'])
      await subject.driver.deleteBranch(ref, driverCall())
      await isGone(ref)
    },
  },
  'a deletion': {
    prepare: async () => {
      const ref = newRef()
      await subject.driver.createBranch({ source, ref }, driverCall())
      return ref
    },
    act: async (driver, ref) => driver.deleteBranch(ref, driverCall()),
    check: isGone,
  },
  'a claim with reset': {
    prepare: async (left = newSharedRef()) => {
      await claim(subject.driver, left, 0)
      await subject.addLine(await subject.driver.openBranch(left, driverCall()), 'of before')
      return left
    },
    act: claim,
    check: async (ref, attempt) => {
      expect(await linesOf(ref)).toEqual(['one', 'two'])
      const records = await subject.driver.listBranches(driverCall())
      const record = records.find((branch) => branch.ref.name === ref.name)
      const claims = record?.claims?.map(({ deploymentId }) => deploymentId)
      expect(claims).toEqual(expect.arrayContaining(['dpl_0', `dpl_${attempt}`]))
    },
  },
  'the deletion of an unclaimed branch': {
    prepare: async () => {
      const ref = newSharedRef()
      await claim(subject.driver, ref, 0)
      await subject.driver.sharing?.releaseClaim({ ref, deploymentId: 'dpl_0' }, driverCall())
      return ref
    },
    act: async (driver, ref) =>
      driver.sharing?.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall()),
    check: isGone,
  },
}

describe.concurrent.each(Object.entries(stories))('%s', { timeout: 120_000 }, (_name, story) => {
  test('that is cut off before each of its statements, and then again, is completed at last', async () =>
    withProxy(story, async (cutOff) => {
      let ref: BranchRef | undefined
      await untilTooFar(async (nth) => {
        ref = await story.prepare(ref)
        const hasCome = await cutOff(ref, nth, { nth, side: 'before' })
        // The second time everything may be done before it comes to this.
        await cutOff(ref, nth, { nth: 1 + ((nth * 7) % 12), side: 'after' })
        await story.act(subject.driver, ref, nth)
        await story.check(ref, nth)
        return hasCome
      })
    }))

  test('that gets one statement further each time is completed at last', async () =>
    withProxy(story, async (cutOff) => {
      const ref = await story.prepare()
      await untilTooFar(async (nth) => cutOff(ref, 1, { nth, side: 'after' }))
      await story.act(subject.driver, ref, 1)
      await story.check(ref, 1)
    }))
})

/** Attempts with a cut at each statement in turn, until there are none left; the shortest call has nine. */
async function untilTooFar(attempt: (nth: number) => Promise<boolean>): Promise<void> {
  let nth = 1
  while (await attempt(nth)) nth += 1
  expect(nth).toBeGreaterThan(9)
}

/** Does the story's call with a cut; answers whether it came to that. */
type CutOff = (ref: BranchRef, attempt: number, cut: Cut) => Promise<boolean>

/** Hands `attempts` a way to cut the story's call off. */
async function withProxy(
  { act }: Story,
  attempts: (cutOff: CutOff) => Promise<void>,
): Promise<void> {
  const proxy = await startPostgresProxy(adminUrl())
  const driver = postgres({ server: proxy.url })
  const cutOff: CutOff = async (ref, attempt, cut) => {
    proxy.cut(cut)
    await act(driver, ref, attempt).catch(() => {})
    return proxy.hasCut()
  }
  try {
    await attempts(cutOff)
  } finally {
    await driver.close()
    await proxy.close()
  }
}

function adminUrl(): string {
  const url = new URL(embeddedServerUrl())
  url.username = admin
  url.password = 'plain'
  return url.href
}

const made: BranchRef[] = []
afterAll(async () => {
  for (const { name } of made) {
    await dropSource(embeddedServerUrl(), name)
    await sql(embeddedServerUrl(), `DROP ROLE IF EXISTS ${name}`)
  }
})

function newRef(): BranchRef {
  const deploymentId = `dpl_${randomUUID()}`
  const key = { installationId: 'icfg_1', resourceId: source, deploymentId, action: 'branch' }
  const ref = branchRef(key)
  made.push(ref)
  return ref
}

function newSharedRef(): BranchRef {
  const owner = { installationId: 'icfg_1', resourceId: source, projectId: 'prj_1' }
  const ref = sharedBranchRef({ ...owner, gitBranch: randomUUID(), action: 'branch' })
  made.push(ref)
  return ref
}

async function claim(driver: ResourceDriver, ref: BranchRef, attempt: number): Promise<void> {
  const request = { source, ref, deploymentId: `dpl_${attempt}`, onPush: 'reset' } as const
  await driver.sharing?.claimBranch(request, driverCall())
}

async function linesOf(ref: BranchRef): Promise<string[]> {
  return await subject.readLines(await subject.driver.openBranch(ref, driverCall()))
}

/** Nothing of that name, and no membership or right of a role that is gone. */
async function isGone(ref: BranchRef): Promise<void> {
  expect(await subject.remains(ref.name)).toEqual([])
  const dangling = await sql(
    embeddedServerUrl(),
    `SELECT FROM pg_auth_members m WHERE NOT EXISTS (SELECT FROM pg_authid WHERE oid = m.roleid)
      UNION ALL SELECT FROM pg_shdepend s WHERE refclassid = 'pg_authid'::regclass
        AND NOT EXISTS (SELECT FROM pg_authid WHERE oid = s.refobjid)`,
  )
  expect(dangling).toEqual([])
}
