import { withClient } from './with-client.ts'

const ROWS = 2_000_000

/** Makes the table of 250 MB that `writeMeanwhile` changes, in the maintenance database. */
export async function prepareWriters(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      `CREATE TABLE written AS
        SELECT n AS id, 0 AS times, repeat('x', 80) AS filler FROM generate_series(1, ${ROWS}) AS n`,
    )
    await client.query('ALTER TABLE written ADD PRIMARY KEY (id)')
  })
}

/** Commits small changes all over the table, in so many sessions, until `work` is done. */
export async function writeMeanwhile<Result>(
  { url, writers }: { url: string; writers: number },
  work: () => Promise<Result>,
): Promise<Result> {
  let done = false
  const write = () =>
    withClient(url, async (client) => {
      while (!done)
        await client.query('UPDATE written SET times = times + 1 WHERE id = $1', [
          1 + Math.floor(Math.random() * ROWS),
        ])
    })
  const writing = Array.from({ length: writers }, write)
  try {
    return await work()
  } finally {
    done = true
    await Promise.all(writing)
  }
}
