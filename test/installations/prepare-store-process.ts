import { postgresStore } from '../../src/installations/postgres-store.ts'

// One of several processes that start at once: prepares the store of the database in its argument, and says so.
const [url = ''] = process.argv.slice(2)
const store = postgresStore({ url, keys: [{ id: 'test', bytes: Buffer.alloc(32, 1) }] })
await store.prepare()
await store.close()
process.stdout.write('prepared\n')
