import { EventEmitter, once } from 'node:events'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { postgres, type PostgresOptions } from '../../src/drivers/postgres/driver.ts'
import { tellProgress } from '../../src/drivers/postgres/tell-progress.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { describeDriverContract } from './contract.ts'
import {
  findInstalledPostgres,
  type InstalledServer,
  startInstalledPostgres,
} from './installed-server.ts'
import { startPostgresProxy } from './postgres-proxy.ts'
import {
  connect,
  embeddedServerUrl,
  hold,
  newBranch,
  newName,
  newSource,
  onDatabase,
  postgresUnderTest,
  sql,
} from './postgres-under-test.ts'
import { slowIndex } from './slow-index.ts'

const programs = await findInstalledPostgres()
let installed: InstalledServer | undefined
const installedUrl = () => installed?.url ?? ''

beforeAll(async () => {
  if (programs !== undefined) installed = await startInstalledPostgres(programs)
})
afterAll(async () => {
  await installed?.stop()
})

describeDriverContract('the driver contract by file copy', async () =>
  postgresUnderTest(embeddedServerUrl(), { strategy: 'file-copy' }),
)
if (programs !== undefined)
  describeDriverContract('the driver contract by dump', async () =>
    postgresUnderTest(installedUrl(), { strategy: 'dump' }),
  )

describe('a copy is made by', () => {
  test.each<[string, PostgresOptions, string]>([
    ['the log, where a source is small', {}, 'WAL_LOG'],
    ['files, where that is asked for', { strategy: 'file-copy' }, 'FILE_COPY'],
    ['cloned files, where that is asked for', { strategy: 'clone' }, 'FILE_COPY, clone'],
  ])('%s', async (_sentence, options, expected) => {
    const source = await newSource(embeddedServerUrl())
    expect(await strategyFor(embeddedServerUrl(), source, options)).toBe(expected)
  })

  test('cloned files, where a source of 150 MB is on a server that clones', async () => {
    const admin = newName()
    const url = embeddedServerUrl()
    const source = await newSource(url, bigTable)
    await sql(url, `CREATE ROLE ${admin} LOGIN SUPERUSER PASSWORD 'plain'`)
    onTestFinished(async () => {
      await sql(url, `DROP ROLE ${admin}`)
    })
    const adminUrl = new URL(url)
    adminUrl.username = admin
    adminUrl.password = 'plain'
    expect(await strategyFor(adminUrl.href, source)).toBe('WAL_LOG')
    await sql(url, `ALTER ROLE ${admin} SET file_copy_method = clone`)
    expect(await strategyFor(adminUrl.href, source)).toBe('FILE_COPY, clone')
  })

  test('some way also where the administrator may not know how large the source is', async () => {
    const [admin, url] = [newName(), embeddedServerUrl()]
    await sql(url, `CREATE ROLE ${admin} LOGIN CREATEDB CREATEROLE PASSWORD 'plain'`)
    const source = newName()
    await sql(url, `CREATE DATABASE ${source} OWNER ${admin}`)
    onTestFinished(async () => {
      await sql(url, `DROP DATABASE IF EXISTS ${source}`)
      await sql(url, `DROP ROLE ${admin}`)
    })
    await sql(url, `REVOKE ALL ON DATABASE ${source} FROM PUBLIC, ${admin}`)
    const adminUrl = new URL(url)
    adminUrl.username = admin
    adminUrl.password = 'plain'
    const ref = newBranch(url, source)
    const driver = postgres({ server: adminUrl.href })
    await driver.createBranch({ source, ref }, driverCall())
    await driver.deleteBranch(ref, driverCall())
  })

  test('no dump, where no client tools fit: that is refused for good, in words of its own', async () => {
    const source = await newSource(embeddedServerUrl())
    const ref = newBranch(embeddedServerUrl(), source)
    const driver = postgres({ server: embeddedServerUrl(), strategy: 'dump' })
    await expect(driver.createBranch({ source, ref }, driverCall())).rejects.toMatchObject({
      code: 'dump_tools_missing',
      retryable: false,
      message: expect.stringContaining('Install postgresql-client-18'),
    })
  })

  test.runIf(programs !== undefined)(
    'no clone, where the server is too old: a check-up tells it before',
    async () => {
      const source = await newSource(installedUrl())
      const ref = newBranch(installedUrl(), source)
      const driver = postgres({ server: installedUrl(), strategy: 'clone' })
      await expect(driver.createBranch({ source, ref }, driverCall())).rejects.toMatchObject({
        code: 'strategy_unsupported',
        retryable: false,
      })
      const finding = { subject: 'Postgres copies', level: 'error', fix: expect.any(String) }
      expect(await driver.check()).toContainEqual(expect.objectContaining(finding))
    },
  )

  test('nothing that does not exist: a setting of another name is refused at once', () => {
    const options: object = { strategy: 'fastest' }
    expect(() => postgres(options)).toThrow(/'auto', or one of 'wal-log'/)
  })
})

test.runIf(programs !== undefined)(
  'connections to a source that is dumped do not wait',
  async () => {
    const source = await newSource(installedUrl(), `${bigTable}; ${slowIndex}`)
    const cancel = new AbortController()
    const told: string[] = []
    const creation = postgres({ server: installedUrl(), strategy: 'dump' }).createBranch(
      { source, ref: newBranch(installedUrl(), source) },
      driverCall({ signal: cancel.signal, onProgress: (text) => told.push(text) }),
    )
    const refusal = expect(creation).rejects.toThrow('canceled by the test')
    await vi.waitFor(
      () =>
        expect(told.at(-1)).toMatch(
          /^"test_\w+" is being copied with pg_dump \d+: 1[45]\d MB, \d+ s so far$/,
        ),
      { timeout: 20_000 },
    )
    await (await connect(onDatabase(installedUrl(), source))).end()
    cancel.abort(new Error('canceled by the test'))
    await refusal
  },
)

describe('a copy that takes long tells', () => {
  test('how large the source is and how long it takes already', async () => {
    const url = embeddedServerUrl()
    const source = await newSource(url)
    const told: string[] = []
    const holdUp = await hold(url)
    // Nobody can make a database meanwhile, but everybody can connect.
    await holdUp.query('BEGIN; LOCK TABLE pg_database IN SHARE MODE')
    const creation = postgres({ server: url }).createBranch(
      { source, ref: newBranch(url, source) },
      driverCall({ onProgress: (text) => told.push(text) }),
    )
    await vi.waitFor(
      () => expect(told.at(-1)).toMatch(/^"test_\w+" \(\d MB\) is being copied, [24] s so far$/),
      { timeout: 10_000 },
    )
    await holdUp.query('ROLLBACK')
    await creation
  })

  test('when it may still be waiting for others to leave', async () => {
    const url = embeddedServerUrl()
    const source = await newSource(url)
    const told: string[] = []
    const holder = await hold(onDatabase(url, source))
    const creation = postgres({ server: url }).createBranch(
      { source, ref: newBranch(url, source) },
      driverCall({ onProgress: (text) => told.push(text) }),
    )
    await vi.waitFor(
      () => expect(told.at(-1)).toMatch(/is in use and copied as soon as its connections end, 2 s/),
      { timeout: 10_000 },
    )
    await holder.end()
    await creation
  })

  test.each(['succeeded', 'error'])('nothing any more once it has ended by %s', async (how) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const told: string[] = []
    const call = { progress: (text: string) => told.push(text) }
    const work = new EventEmitter()
    const telling = tellProgress(
      call,
      (seconds) => `${seconds} s`,
      () => once(work, 'succeeded'),
    )
    await vi.advanceTimersByTimeAsync(4_999)
    expect(told).toEqual(['2 s', '4 s'])
    work.emit(how, new Error('of the test'))
    await telling.catch(() => {})
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told).toHaveLength(2)
  })
})

/** The strategy that the server was asked for; after a comma the method that copies files. */
async function strategyFor(
  url: string,
  source: string,
  options: PostgresOptions = {},
): Promise<string> {
  const proxy = await startPostgresProxy(url)
  const driver = postgres({ server: proxy.url, ...options })
  try {
    const ref = newBranch(embeddedServerUrl(), source)
    await driver.createBranch({ source, ref }, driverCall())
    const told = proxy
      .heard()
      .flatMap((statement) => /(?:STRATEGY|_method =) (\w+)/.exec(statement)?.[1] ?? [])
    return told.toReversed().join(', ')
  } finally {
    await driver.close()
    await proxy.close()
  }
}

const bigTable = `CREATE TABLE big (filler text);
  ALTER TABLE big ALTER filler SET STORAGE EXTERNAL;
  INSERT INTO big SELECT repeat('x', 100000) FROM generate_series(1, 1500)`
