/**
 * How long a branch of a database takes: the driver against the server's own ways and against a dump, on servers that
 * are safe against a crash. Prints a table for each server and size; leaves nothing behind.
 *
 *     npm run bench:branching -- --sizes 10,100,1000 --rounds 3 --parallel 1 --writers 0 --directory /tmp
 */
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { fillSource } from './fill-source.ts'
import { printTable } from './print-table.ts'
import { type DurableServer, startServers } from './servers.ts'
import { type Way, waysOf } from './ways.ts'
import { withClient } from './with-client.ts'
import { prepareWriters, writeMeanwhile } from './write-meanwhile.ts'

const { values } = parseArgs({
  options: {
    /** Megabytes of each source. */
    sizes: { type: 'string', default: '10,100' },
    /** How often each way is timed. */
    rounds: { type: 'string', default: '3' },
    /** How many copies are made at a time. */
    parallel: { type: 'string', default: '1' },
    /** How many sessions write to another database meanwhile. */
    writers: { type: 'string', default: '0' },
    /** Where the servers keep their data: a directory of the file system to measure. */
    directory: { type: 'string', default: tmpdir() },
  },
})
const sizes = values.sizes.split(',').map(Number)
const rounds = Number(values.rounds)
const parallel = Number(values.parallel)
const writers = Number(values.writers)

/** So that there is something for a checkpoint to write. */
const WRITTEN_BEFORE_MS = 3_000

const servers = await startServers(values.directory)
const stop = async () => {
  for (const server of servers) await server.stop()
}
// One that was interrupted leaves nothing either.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().finally(() => process.exit(1)))
try {
  for (const server of servers) {
    if (writers > 0) await prepareWriters(server.url)
    for (const size of sizes) await measure(server, size)
  }
} finally {
  await stop()
}

async function measure(server: DurableServer, megabytes: number): Promise<void> {
  const source = `source_${megabytes}`
  const version = await withClient(server.url, async (client) => {
    await client.query(`CREATE DATABASE ${source}`)
    const { rows } = await client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    )
    return rows[0]?.version ?? 0
  })
  await withClient(onDatabase(server.url, source), (client) => fillSource(client, megabytes))
  const bytes = await sizeOf(server, source)
  const ways = waysOf(server, version)
  const timesMs = new Map<string, number[]>(ways.map(({ name }) => [name, []]))
  // Round by round, so that a slow minute of the machine is everybody's.
  for (let round = 0; round < rounds; round++)
    for (const way of ways) timesMs.get(way.name)?.push(await time(server, way, source))
  const title = `${server.name} ${Math.floor(version / 1_00_00)}, ${Math.round(bytes / 1_000_000)} MB${parallel > 1 ? `, ${parallel} at a time` : ''}${writers > 0 ? `, beside ${writers} writers` : ''}`
  printTable(title, timesMs)
  await withClient(server.url, (client) => client.query(`DROP DATABASE ${source}`))
}

/** Milliseconds until the last of the copies is there. */
async function time(server: DurableServer, way: Way, source: string): Promise<number> {
  // What the one before left in memory is not written on this one's time.
  await withClient(server.url, (client) => client.query('CHECKPOINT'))
  const copies = Array.from({ length: parallel }, (_, nth) => String(nth))
  const inUse = way.inUse ? onDatabase(server.url, source) : server.url
  const durationMs = await withClient(inUse, async () => {
    return await writeMeanwhile({ url: server.url, writers }, async () => {
      if (writers > 0) await sleep(WRITTEN_BEFORE_MS)
      const begun = performance.now()
      await Promise.all(copies.map((nth) => way.copy(source, nth)))
      return performance.now() - begun
    })
  })
  for (const nth of copies) await way.drop(source, nth)
  return durationMs
}

async function sizeOf(server: DurableServer, source: string): Promise<number> {
  return await withClient(server.url, async (client) => {
    const { rows } = await client.query<{ bytes: string }>('SELECT pg_database_size($1) AS bytes', [
      source,
    ])
    return Number(rows[0]?.bytes)
  })
}

function onDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}
