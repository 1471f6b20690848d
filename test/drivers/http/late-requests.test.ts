import { afterAll, beforeAll, expect, test } from 'vitest'
import { driverCall } from '../../../src/testing/driver-call.ts'
import {
  closeConnections,
  embeddedServerUrl,
  keepConnections,
  newBranch,
  newSource,
  remainsOf,
} from '../postgres-under-test.ts'
import { driverFor } from './http-under-test.ts'
import { type PostgresProvider, startPostgresProvider } from './postgres-provider.ts'

let provider: PostgresProvider
// As two workers: nothing in one process makes the calls of one wait for those of the other.
let worker: ReturnType<typeof driverFor>
let other: ReturnType<typeof driverFor>

beforeAll(async () => {
  keepConnections(embeddedServerUrl())
  provider = await startPostgresProvider(embeddedServerUrl())
  worker = driverFor(provider.url)
  other = driverFor(provider.url)
})
afterAll(async () => {
  await worker.close()
  await other.close()
  await provider.close()
  await closeConnections()
})

test('a creation that was asked about before a deletion and arrives after it makes nothing', async () => {
  const source = await newSource(embeddedServerUrl())
  const ref = newBranch(embeddedServerUrl(), source)
  const confirm = () => other.deleteBranch(ref, driverCall())
  const late = worker.createBranch({ source, ref }, driverCall({ confirm }))
  await expect(late).rejects.toMatchObject({ code: 'fence_changed', retryable: true })
  expect(await remainsOf(embeddedServerUrl(), ref.name)).toEqual([])

  await worker.createBranch({ source, ref }, driverCall())
  expect(await remainsOf(embeddedServerUrl(), ref.name)).toContain('database')
})

test('a repeated creation of a complete branch asks neither Temporal nor the provider to make it', async () => {
  const source = await newSource(embeddedServerUrl())
  const ref = newBranch(embeddedServerUrl(), source)
  await worker.createBranch({ source, ref }, driverCall())
  const confirm = () => Promise.reject(new Error('it asked'))
  await other.createBranch({ source, ref }, driverCall({ confirm }))
  const puts = provider.requests.filter((request) => request === `PUT /branches/${ref.name}`)
  expect(puts).toHaveLength(1)
})

test('a list of several pages tells of each branch once', async () => {
  const source = await newSource(embeddedServerUrl())
  const refs = Array.from({ length: 12 }, () => newBranch(embeddedServerUrl(), source))
  await Promise.all(refs.map((ref) => worker.createBranch({ source, ref }, driverCall())))
  const listed = (await worker.listBranches(driverCall())).filter(
    (record) => record.source === source,
  )
  expect(listed.map(({ ref }) => ref.name)).toEqual(refs.map(({ name }) => name).sort())
})
