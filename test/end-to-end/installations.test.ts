import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgresStore } from '../../src/installations/postgres-store.ts'
import type { Installation, Project } from '../../src/simulator/index.ts'
import {
  dropSource,
  embeddedServerUrl,
  newName,
  onDatabase,
  sql,
} from '../drivers/postgres-under-test.ts'
import { type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

const database = newName()
const databaseUrl = onDatabase(embeddedServerUrl(), database)
const keys = [{ id: 'test', bytes: Buffer.alloc(32, 1) }]

let holdpoint: HoldpointUnderTest

beforeAll(async () => {
  await sql(embeddedServerUrl(), `CREATE DATABASE ${database}`)
  holdpoint = await startHoldpoint({
    store: () => postgresStore({ url: databaseUrl, keys }),
    variables: { VERCEL_ACCESS_TOKEN: '', INTEGRATION_CLIENT_ID: 'oac_local' },
  })
  await holdpoint.restart({ VERCEL_MARKETPLACE_URL: holdpoint.vercel.url })
  holdpoint.vercel.partnerUrl = holdpoint.url
})
afterAll(async () => {
  await holdpoint.close()
  await dropSource(embeddedServerUrl(), database)
})

/** How many rows the store has that name the installation. */
async function rowsOf({ id }: Installation): Promise<number> {
  const rows = await sql(databaseUrl, `SELECT id FROM holdpoint.installations WHERE id = '${id}'`)
  return rows.length
}

function projectOf(installation: Installation): Project {
  return holdpoint.vercel.createProject({
    name: 'storefront',
    installation,
    resources: [
      { resourceId: holdpoint.source.name, actions: { branch: { environments: ['preview'] } } },
    ],
  })
}

test('an installation brings its token, its builds are released with it, and its end takes everything back', async () => {
  const { vercel } = holdpoint
  const installation = await vercel.install()
  const other = await vercel.install()
  const released = await holdpoint.release(projectOf(installation))
  const kept = await holdpoint.release(projectOf(other))
  expect(released.actions[0]).toMatchObject({ status: 'succeeded' })

  expect(await vercel.uninstall(installation)).toEqual({ finalized: true })

  expect(await rowsOf(installation)).toBe(0)
  expect(await holdpoint.left(released)).toEqual([])
  expect(await rowsOf(other)).toBe(1)
  expect(await holdpoint.left(kept)).not.toEqual([])
  // The webhook that tells it once more finds nothing to do.
  const told = await vercel.untilEvent(
    (event) => event.kind === 'webhook' && event.type === 'integration-configuration.removed',
  )
  expect(told).toMatchObject({ result: { kind: 'answered', status: 200 } })
  vercel.remove(released.id)

  await vercel.uninstall(other)
  expect(await holdpoint.left(kept)).toEqual([])
  vercel.remove(kept.id)
})

test('an installation that was uninstalled while nobody listened goes by the webhook alone', async () => {
  const { vercel } = holdpoint
  const installation = await vercel.install()
  const released = await holdpoint.release(projectOf(installation))
  await vercel.sendWebhook({
    type: 'integration-configuration.removed',
    payload: { configuration: { id: installation.id }, team: { id: installation.teamId } },
  })
  await expect.poll(() => rowsOf(installation), { timeout: 30_000 }).toBe(0)
  expect(await holdpoint.left(released)).toEqual([])
  vercel.remove(released.id)
})

test('nobody but Vercel is let in', async () => {
  for (const path of ['/v1/installations/icfg_x', '/v1/installations/']) {
    const answer = await fetch(`${holdpoint.url}${path}`, {
      headers: { authorization: 'Bearer x.y.z' },
    })
    expect([path, answer.status]).toEqual([path, path.endsWith('/') ? 404 : 401])
  }
})
