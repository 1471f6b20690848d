import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ResourceKey, resourceIdFor } from '../../src/domain/resource-key.ts'
import type { ResourceProvisioning } from '../../src/drivers/driver.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { type Cut, startPostgresProxy } from './postgres-proxy.ts'
import { embeddedServerUrl, newName, sql } from './postgres-under-test.ts'
import { dangling, dropResourceOf, madeResource, standing, urlOf } from './resource-under-test.ts'

// As an administrator who is no superuser: such a one makes more statements, and grants that must go again.
let admin: string
let resources: ResourceProvisioning
const made: ResourceKey[] = []

beforeAll(async () => {
  admin = newName()
  await sql(embeddedServerUrl(), `CREATE ROLE ${admin} LOGIN CREATEDB CREATEROLE PASSWORD 'plain'`)
  resources = provisioningAt(adminUrl())
})
afterAll(async () => {
  for (const key of made) await dropResourceOf(embeddedServerUrl(), key)
  await sql(embeddedServerUrl(), `DROP ROLE ${admin}`)
})

interface Story {
  readonly prepare?: (key: ResourceKey) => Promise<unknown>
  readonly act: (resources: ResourceProvisioning, key: ResourceKey) => Promise<unknown>
  readonly check: (key: ResourceKey) => Promise<void>
}

const rotationOf = (key: ResourceKey) => ({ key, generation: 1, rotationId: 'rotation 1' })

const stories: Record<string, Story> = {
  'a creation': {
    act: async (resources, key) => resources.createResource({ key }, driverCall()),
    check: async (key) => {
      expect(await loginsOf(key)).toEqual([1])
      const rights = `SELECT has_database_privilege('public', $1, 'CONNECT') AS granted`
      expect(await sql(embeddedServerUrl(), rights, [key.resourceId])).toEqual([{ granted: false }])
    },
  },
  'a rotation': {
    prepare: withLines,
    act: async (resources, key) => resources.addLogin(rotationOf(key), driverCall()),
    check: async (key) => {
      expect(await loginsOf(key)).toEqual([1, 2])
      expect(await linesOf(key, 2)).toEqual(['kept'])
    },
  },
  'the end of old credentials': {
    prepare: async (key) => {
      const old = await withLines(key)
      // So that there is something to hand over.
      await sql(old, 'SET ROLE NONE; CREATE TABLE of_login (a int)')
      await resources.addLogin(rotationOf(key), driverCall())
    },
    act: async (resources, key) => resources.endOlderLogins({ key, generation: 2 }, driverCall()),
    check: async (key) => {
      expect(await loginsOf(key)).toEqual([2])
      expect(await linesOf(key, 2)).toEqual(['kept'])
      await sql(await urlOf(resources, key, 2), 'DROP TABLE of_login')
    },
  },
  'a deletion': {
    prepare: async (key) => {
      await withLines(key)
      await resources.addLogin(rotationOf(key), driverCall())
    },
    act: async (resources, key) => resources.deleteResource(key, driverCall()),
    check: isGone,
  },
}

describe.concurrent.each(Object.entries(stories))('%s', { timeout: 120_000 }, (_name, story) => {
  test('that is cut off before each of its statements, and then again, is completed at last', async () =>
    withProxy(story, async (cutOff) => {
      await untilTooFar(async (nth) => {
        const key = newKey()
        await story.prepare?.(key)
        const hasCome = await cutOff(key, { nth, side: 'before' })
        // The second time everything may be done before it comes to this.
        await cutOff(key, { nth: THE_LOCK + ((nth * 7) % 12), side: 'after' })
        await story.act(resources, key)
        await story.check(key)
        return hasCome
      })
    }))

  test('that is cut off after each of its statements leaves nothing that a deletion does not find', async () =>
    withProxy(story, async (cutOff) => {
      await untilTooFar(async (nth) => {
        const key = newKey()
        await story.prepare?.(key)
        const hasCome = await cutOff(key, { nth, side: 'after' })
        await resources.deleteResource(key, driverCall())
        await isGone(key)
        return hasCome
      })
    }))
})

/** What is cut off before this statement has changed nothing. */
const THE_LOCK = 6

/** Attempts with a cut at each statement in turn, from the lock on, until there are none left. */
async function untilTooFar(attempt: (nth: number) => Promise<boolean>): Promise<void> {
  let nth = THE_LOCK
  while (await attempt(nth)) nth += 1
  // The lock, two statements to look, and two at least to change something.
  expect(nth).toBeGreaterThanOrEqual(THE_LOCK + 5)
}

/** Hands `attempts` a way to do the story's call with a cut; it answers whether it came to that. */
async function withProxy(
  { act }: Story,
  attempts: (cutOff: (key: ResourceKey, cut: Cut) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const proxy = await startPostgresProxy(adminUrl())
  const cutResources = provisioningAt(proxy.url)
  try {
    await attempts(async (key, cut) => {
      proxy.cut(cut)
      await act(cutResources, key).catch(() => {})
      return proxy.hasCut()
    })
  } finally {
    await proxy.close()
  }
}

// It keeps no connection that would have to be closed.
function provisioningAt(server: string): ResourceProvisioning {
  const driver = postgres({ server })
  if (!driver.resources) throw new Error('the driver makes no resources')
  return driver.resources
}

async function withLines(key: ResourceKey): Promise<string> {
  const url = await madeResource(resources, key)
  await sql(url, `CREATE TABLE lines AS SELECT 'kept' AS line`)
  return url
}

/** The generations whose credentials work. */
async function loginsOf(key: ResourceKey): Promise<number[]> {
  const working: number[] = []
  for (const generation of [1, 2, 3])
    await urlOf(resources, key, generation).then(
      () => working.push(generation),
      (error: unknown) => expect(error).toMatchObject({ code: 'resource_login_ended' }),
    )
  return working
}

async function linesOf(key: ResourceKey, generation: number): Promise<string[]> {
  const url = await urlOf(resources, key, generation)
  return (await sql<{ line: string }>(url, 'SELECT line FROM lines')).map(({ line }) => line)
}

/** Nothing of that name, and no membership or right of a role that is gone. */
async function isGone({ resourceId }: ResourceKey): Promise<void> {
  expect(await standing(embeddedServerUrl(), resourceId)).toEqual([])
  expect(await dangling(embeddedServerUrl())).toEqual([])
}

function newKey(): ResourceKey {
  const installationId = 'icfg_1'
  const key = { installationId, resourceId: resourceIdFor(installationId, randomUUID()) }
  made.push(key)
  return key
}

function adminUrl(): string {
  const url = new URL(embeddedServerUrl())
  url.username = admin
  url.password = 'plain'
  return url.href
}
