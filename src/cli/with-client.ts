import pg from 'pg'

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
