import { afterAll, beforeAll, expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import { postgresStore } from '../../src/installations/postgres-store.ts'
import type { InstallationStore } from '../../src/installations/store.ts'
import {
  newName,
  onDatabase,
  dropSource,
  embeddedServerUrl,
  sql,
} from '../drivers/postgres-under-test.ts'
import { installationOf } from '../installations/contract.ts'
import { type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'

const database = newName()
const keys = [{ id: 'test', bytes: Buffer.alloc(32, 1) }]

let holdpoint: HoldpointUnderTest
let store: InstallationStore

beforeAll(async () => {
  await sql(embeddedServerUrl(), `CREATE DATABASE ${database}`)
  const open = () => postgresStore({ url: onDatabase(embeddedServerUrl(), database), keys })
  store = open()
  // What the service makes ready itself.
  holdpoint = await startHoldpoint({ store: open, variables: { VERCEL_ACCESS_TOKEN: '' } })
  const { id, accessToken } = holdpoint.vercel.installation
  await store.putInstallation(installationOf({ id }), new Secret(accessToken))
})
afterAll(async () => {
  await holdpoint.close()
  await store.close()
  await dropSource(embeddedServerUrl(), database)
})

test('a build is released with the token that the store has for its installation', async () => {
  const { actions } = await holdpoint.release()
  expect(actions[0]).toMatchObject({ status: 'succeeded' })
})

test('a token that was replaced at Vercel and in the store is used from the next call on', async () => {
  const { installation } = holdpoint.vercel
  const old = installation.accessToken
  const fresh = 'another-token-that-nobody-may-read'
  const leave = await holdpoint.occupySource()
  const deployment = holdpoint.deploy()
  await holdpoint.untilBegun(deployment)
  installation.accessToken = fresh
  await store.replaceAccessToken(installation.id, new Secret(fresh))
  await leave()
  await holdpoint.vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
  const { actions } = holdpoint.vercel.deployment(deployment.id)
  expect(actions[0]).toMatchObject({ status: 'succeeded', terminalBodies: 1 })
  expect(holdpoint.logLines.join('\n')).not.toContain(fresh)
  // As it was, so that the end of this test file can take back what it made.
  installation.accessToken = old
  await store.replaceAccessToken(installation.id, new Secret(old))
})
