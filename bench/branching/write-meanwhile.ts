import { withClient } from './ways.ts'

const ROWS = 2_000_000

/** A table of 250 MB in the maintenance database, for `writeMeanwhile`. */
export async function prepareWriters(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      `CREATE TABLE IF NOT EXISTS written AS
        SELECT n AS id, 0 AS times, repeat('x', 80) AS filler FROM generate_series(1, ${ROWS}) AS n`,
    )
    await client.query('CREATE UNIQUE INDEX IF NOT EXISTS written_id ON written (id)')
  })
}

/** Commits small changes all over the table in so many sessions until `work` is done; answers how long each took. */
export async function writeMeanwhile(
  { url, writers }: { url: string; writers: number },
  work: () => Promise<void>,
): Promise<number[]> {
  const latenciesMs: number[] = []
  let done = false
  const write = () =>
    withClient(url, async (client) => {
      while (!done) {
        const begun = performance.now()
        await client.query('UPDATE written SET times = times + 1 WHERE id = $1', [
          1 + Math.floor(Math.random() * ROWS),
        ])
        latenciesMs.push(performance.now() - begun)
      }
    })
  const writing = Array.from({ length: writers }, write)
  try {
    await work()
  } finally {
    done = true
    await Promise.all(writing)
  }
  return latenciesMs
}
