import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { expect, inject, onTestFinished, test } from 'vitest'
import { withClient } from '../../src/cli/with-client.ts'
import { embeddedServers } from '../../src/cli/embedded.ts'
import { readEnvironment } from '../../src/config/environment.ts'

/** The embedded servers of a process with these variables, and what it said meanwhile. */
async function embedded(variables: Record<string, string>, ephemeral: boolean) {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-embedded-'))
  const told: string[] = []
  const servers = await embeddedServers({
    environment: readEnvironment({ HOME: directory, ...variables }),
    directory,
    ephemeral,
    onProgress: (text) => told.push(text),
    onExit: (text) => told.push(text),
  })
  onTestFinished(async () => {
    await servers.stop()
    await rm(directory, { recursive: true, force: true })
  })
  return { servers, directory, told }
}

test('servers that the environment names are used, and none is started', async () => {
  const { servers, directory, told } = await embedded(
    {
      TEMPORAL_ADDRESS: 'x:1',
      TEMPORAL_NAMESPACE: 'mine',
      POSTGRES_URL: 'postgres://x',
      HOLDPOINT_DATABASE_URL: 'postgres://y',
    },
    false,
  )
  const temporal = await servers.temporal()
  expect(temporal).toMatchObject({ connectionOptions: { address: 'x:1' }, namespace: 'mine' })
  expect(temporal.uiUrl).toBeUndefined()
  expect(await servers.postgres()).toBe('postgres://x')
  expect(await servers.installations()).toBe('postgres://y')
  await servers.stop()
  expect(await readdir(directory)).toEqual([])
  expect(told).toEqual([])
})

test('installations are kept on a Postgres of ours, not on the one that holds the resources', async () => {
  const { servers } = await embedded({ POSTGRES_URL: 'postgres://resources' }, true)
  const urls = await Promise.all([servers.installations(), servers.installations()])
  expect(urls[0]).toBe(urls[1])
  const found = await withClient(urls[0], (client) =>
    client.query('select current_database() as name'),
  )
  expect(found.rows).toEqual([{ name: 'holdpoint' }])
  expect(await servers.postgres()).toBe('postgres://resources')
  expect(await servers.installations()).toBe(urls[0])
})

test('a Temporal server is started once, however often it is asked for, and ends with its data', async () => {
  const { servers, directory, told } = await embedded(
    { TEMPORAL_CLI_PATH: inject('cliPath'), TEMPORAL_NAMESPACE: 'mine' },
    true,
  )
  const [first, second] = await Promise.all([servers.temporal(), servers.temporal()])
  expect(second).toBe(first)
  const address = first.connectionOptions.address ?? ''
  const connection = await Connection.connect({ address })
  await connection.workflowService.describeNamespace({ namespace: 'mine' })
  await connection.close()
  expect((await fetch(first.uiUrl ?? '')).status).toBe(200)

  await servers.stop()
  await servers.stop()
  await expect(Connection.connect({ address, connectTimeout: 500 })).rejects.toThrow()
  expect(await readdir(directory)).toEqual([])
  expect(told.filter((line) => line.includes('The embedded Temporal server'))).toEqual([])
})
