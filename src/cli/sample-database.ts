import pg from 'pg'

/** Creates the database of the sample project with a table and three rows, unless it is there already. */
export async function createSampleDatabase(serverUrl: string, name: string): Promise<void> {
  await withClient(serverUrl, async (server) => {
    const { rowCount } = await server.query('select from pg_database where datname = $1', [name])
    if (rowCount === 0) await server.query(`create database ${name}`)
  })
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await withClient(url.href, async (shop) => {
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

/** Connects, runs the work and disconnects, whatever happens. */
export async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, application_name: 'holdpoint local' })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
