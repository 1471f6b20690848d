import { ensureDatabase } from './ensure-database.ts'
import { withClient } from './with-client.ts'

/** Creates the database of the sample project with a table and three rows, unless it is there already. */
export async function createSampleDatabase(serverUrl: string, name: string): Promise<void> {
  await withClient(await ensureDatabase(serverUrl, name), async (shop) => {
    await shop.query(
      'create table if not exists products (id integer primary key, name text not null)',
    )
    await shop.query(
      "insert into products values (1, 'anvil'), (2, 'rope'), (3, 'paint') on conflict (id) do nothing",
    )
  })
}

/** Drops that database; does nothing when it is gone. */
export async function dropSampleDatabase(serverUrl: string, name: string): Promise<void> {
  await withClient(serverUrl, (server) =>
    server.query(`drop database if exists ${name} with (force)`),
  )
}
