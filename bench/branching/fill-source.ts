import type pg from 'pg'

const TABLES = 10
/** What a row takes with its entries in two indexes. */
const BYTES_PER_ROW = 190
/** What a database has before anything is in it. */
const EMPTY_BYTES = 7_500_000

/** Fills the empty database with ten tables of text that does not compress, a third of it indexes; everything on disk. */
export async function fillSource(client: pg.Client, megabytes: number): Promise<void> {
  const rows = Math.ceil(Math.max(megabytes * 1_000_000 - EMPTY_BYTES, 0) / BYTES_PER_ROW / TABLES)
  for (let table = 1; table <= TABLES; table++) {
    await client.query(`CREATE TABLE rows_${table} (id bigint, account bigint, note text)`)
    await client.query(
      `INSERT INTO rows_${table}
        SELECT n, (n::bigint * 7919) % 100003, md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text)
        FROM generate_series(1, $1::int) AS n`,
      [rows],
    )
    await client.query(`ALTER TABLE rows_${table} ADD PRIMARY KEY (id)`)
    await client.query(`CREATE INDEX ON rows_${table} (account)`)
  }
  // Now, so that no reader does it while a copy is timed.
  await client.query('VACUUM (ANALYZE)')
  await client.query('CHECKPOINT')
}
