import { expect, test } from 'vitest'
import { memoryStore } from '../../src/installations/memory-store.ts'
import { describeStoreContract, installationOf } from './contract.ts'

describeStoreContract('the store in memory', async (settings) => memoryStore(settings))

test('what the store in memory hands out is not what it keeps', async () => {
  const store = memoryStore()
  const installation = installationOf()
  await store.putInstallation(installation, undefined)
  const read = await store.getInstallation(installation.id)
  Object.assign(read ?? {}, { teamId: 'another' })
  expect(await store.getInstallation(installation.id)).toEqual(installation)
})

test('the store in memory says that it is none for anything but tests', async () => {
  expect(await memoryStore().check()).toMatchObject([
    { level: 'warning', fix: expect.stringContaining('HOLDPOINT_DATABASE_URL') },
  ])
})
