import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import { sharedBranchRef } from '../../src/domain/branch-ref.ts'
import { writeMark } from '../../src/drivers/postgres/branch-mark.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { databaseUrl, parseServerUrl } from '../../src/drivers/postgres/server-address.ts'
import { identifier, isPossibleName, literal } from '../../src/drivers/postgres/sql.ts'
import { describeDriverContract } from './contract.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import {
  findInstalledPostgres,
  type InstalledServer,
  startInstalledPostgres,
} from './installed-server.ts'
import {
  closeConnections,
  connect,
  embeddedServerUrl,
  hold,
  keepConnections,
  loseAnswerOf,
  newBranch,
  newName,
  newSource,
  onDatabase,
  postgresUnderTest,
  remainsOf,
  sql,
  workOn,
} from './postgres-under-test.ts'
import { slowIndex } from './slow-index.ts'

const programs = await findInstalledPostgres()
let installed: InstalledServer | undefined

beforeAll(async () => {
  if (programs !== undefined) installed = await startInstalledPostgres(programs)
  for (const { url } of servers) keepConnections(url())
})
afterAll(async () => {
  await closeConnections()
  await installed?.stop()
})

const servers: { name: string; url: () => string }[] = [
  { name: 'the embedded Postgres', url: embeddedServerUrl },
]
if (programs !== undefined)
  servers.push({ name: `the Postgres of ${programs}`, url: () => installed?.url ?? '' })

// It makes the driver lose some hundred answers, which takes its time; one server is enough for that.
for (const { name, url } of servers)
  describeDriverContract(`the driver contract on ${name}`, async () => ({
    ...postgresUnderTest(url()),
    ...(url === embeddedServerUrl && { loseAnswer: loseAnswerOf(url()) }),
  }))

describe.each(servers)('a branch on $name', ({ url }) => {
  test('can be migrated by its own role, whatever kind of object the migration touches', async () => {
    const owner = newName()
    await sql(url(), `CREATE ROLE ${owner}`)
    onTestFinished(async () => {
      await sql(url(), `DROP ROLE ${owner}`)
    })
    const source = await newSource(url(), everyKindOfObject(owner))
    const ref = newBranch(url(), source)
    const driver = postgres({ server: url() })
    await driver.createBranch({ source, ref }, driverCall())
    const branch = (await driver.openBranch(ref, driverCall())).url.reveal()
    await sql(branch, migrationOfEveryKind)
    const [strange] = await sql<{ objects: string[] }>(branch, objectsOfOthers)
    expect(strange?.objects ?? []).toEqual([])
  })

  test('gives its role no way to the source, to other branches or to more rights', async () => {
    const source = await newSource(url(), 'CREATE TABLE lines (line text)')
    const [one, other] = [newBranch(url(), source), newBranch(url(), source)]
    const driver = postgres({ server: url() })
    await driver.createBranch({ source, ref: one }, driverCall())
    await driver.createBranch({ source, ref: other }, driverCall())
    const branch = (await driver.openBranch(one, driverCall())).url.reveal()
    await expect(sql(onDatabase(branch, source), 'SELECT * FROM lines')).rejects.toMatchObject({
      code: '42501',
    })
    await expect(connect(onDatabase(branch, other.name))).rejects.toMatchObject({ code: '42501' })
    await expect(sql(branch, 'CREATE DATABASE more')).rejects.toMatchObject({ code: '42501' })
    await expect(sql(branch, 'CREATE ROLE more')).rejects.toMatchObject({ code: '42501' })
    await expect(sql(branch, `ALTER DATABASE ${source} RENAME TO more`)).rejects.toMatchObject({
      code: '42501',
    })
  })

  test('that was left half made is told as such, made anew, and deleted', async () => {
    const source = await newSource(url(), 'CREATE TABLE lines (line text)')
    const ref = newBranch(url(), source)
    const driver = postgres({ server: url() })
    const complete = async () =>
      (await driver.listBranches(driverCall())).find((branch) => branch.ref.name === ref.name)
        ?.complete
    await driver.createBranch({ source, ref }, driverCall())
    await sql(url(), `COMMENT ON DATABASE ${ref.name} IS NULL`)
    await sql(onDatabase(url(), ref.name), 'DROP TABLE lines')
    expect(await complete()).toBe(false)
    await expect(driver.openBranch(ref, driverCall())).rejects.toMatchObject({
      code: 'branch_incomplete',
    })
    await driver.createBranch({ source, ref }, driverCall())
    expect(await complete()).toBe(true)
    const { url: branch } = await driver.openBranch(ref, driverCall())
    expect(await sql(branch.reveal(), 'SELECT * FROM lines')).toEqual([])

    await sql(url(), `DROP DATABASE ${ref.name}`)
    expect(await complete()).toBe(false)
    await driver.deleteBranch(ref, driverCall())
    expect(await remainsOf(url(), ref.name)).toEqual([])
  })

  test('is deleted with what its role made and was granted elsewhere, whoever is connected', async () => {
    const source = await newSource(url(), 'CREATE TABLE lines (line text)')
    const ref = newBranch(url(), source)
    const driver = postgres({ server: url() })
    await driver.createBranch({ source, ref }, driverCall())
    await sql(
      onDatabase(url(), source),
      `CREATE SCHEMA made_by_branch AUTHORIZATION ${ref.name}; GRANT SELECT ON lines TO ${ref.name}`,
    )
    await sql(url(), `GRANT CONNECT ON DATABASE ${source} TO ${ref.name}`)
    const { url: branch } = await driver.openBranch(ref, driverCall())
    await hold(onDatabase(branch.reveal(), source))
    await hold(onDatabase(url(), ref.name))
    await driver.deleteBranch(ref, driverCall())
    await vi.waitFor(async () => expect(await remainsOf(url(), ref.name)).toEqual([]))
    expect(await sql(onDatabase(url(), source), 'SELECT * FROM lines')).toEqual([])
  })

  test('is not mistaken for a database or a role that somebody else made under its name', async () => {
    const source = await newSource(url())
    const [one, other] = [newBranch(url(), source), newBranch(url(), source)]
    const driver = postgres({ server: url() })
    await sql(url(), `CREATE DATABASE ${one.name}`)
    await sql(url(), `CREATE ROLE ${other.name}`)
    for (const ref of [one, other]) {
      const refusal = { code: 'branch_owner_mismatch', retryable: false }
      await expect(driver.createBranch({ source, ref }, driverCall())).rejects.toMatchObject(
        refusal,
      )
      await expect(driver.deleteBranch(ref, driverCall())).rejects.toMatchObject(refusal)
    }
    expect(await remainsOf(url(), one.name)).toEqual(['database'])
    expect(await remainsOf(url(), other.name)).toEqual(['role'])
  })

  test('opens again after its password was changed', async () => {
    const source = await newSource(url())
    const ref = newBranch(url(), source)
    const driver = postgres({ server: url() })
    await driver.createBranch({ source, ref }, driverCall({ key: 'an earlier key' }))
    const { url: branch } = await driver.openBranch(ref, driverCall({ key: 'the key of today' }))
    expect(await sql(branch.reveal(), 'SELECT current_user AS name')).toEqual([{ name: ref.name }])
  })

  test('leaves nothing when its worker is killed in the middle of the copy', async () => {
    const source = await newSource(url())
    const ref = newBranch(url(), source)
    const holder = await hold(onDatabase(url(), source))
    const worker = spawn(
      process.execPath,
      [...createBranchProcess, url(), ref.owner.deploymentId, source],
      { stdio: 'ignore' },
    )
    await vi.waitFor(
      async () => expect((await workOn(url(), ref.name)).join()).toContain('CREATE DATABASE'),
      { timeout: 20_000, interval: 20 },
    )
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    // Now the server could go on with the copy, had it not been told to watch for its client.
    await holder.end()
    await postgres({ server: url() }).deleteBranch(ref, driverCall())
    expect(await workOn(url(), ref.name)).toEqual([])
    expect(await remainsOf(url(), ref.name)).toEqual([])
  })

  test('is no longer copied at the server once its creation has been canceled', async () => {
    const source = await newSource(url(), bigTable)
    const ref = newBranch(url(), source)
    const cancel = new AbortController()
    const reason = new Error('canceled by the test')
    const creation = postgres({ server: url() }).createBranch(
      { source, ref },
      driverCall({ signal: cancel.signal }),
    )
    const refusal = expect(creation).rejects.toBe(reason)
    await vi.waitFor(
      async () => expect((await workOn(url(), ref.name)).join()).toContain('CREATE DATABASE'),
      { interval: 5 },
    )
    cancel.abort(reason)
    await refusal
    expect(await workOn(url(), ref.name)).toEqual([])
    expect(await remainsOf(url(), ref.name)).toEqual(['role'])
  })

  test('can be given up while another call works on its name', async () => {
    const source = await newSource(url())
    const ref = newBranch(url(), source)
    const other = await hold(url())
    await other.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [ref.name])
    const cancel = new AbortController()
    const reason = new Error('canceled by the test')
    const deletion = postgres({ server: url() }).deleteBranch(
      ref,
      driverCall({ signal: cancel.signal }),
    )
    const refusal = expect(deletion).rejects.toBe(reason)
    const waiting = () =>
      sql(url(), `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), { interval: 10 })
    cancel.abort(reason)
    await refusal
    expect(await waiting()).toEqual([])
  })

  /** An administrator who is no superuser, and a resource of theirs. */
  async function ordinaryAdministrator() {
    const admin = newName()
    await sql(url(), `CREATE ROLE ${admin} LOGIN CREATEDB CREATEROLE PASSWORD 'plain'`)
    const source = newName()
    await sql(url(), `CREATE DATABASE ${source} OWNER ${admin}`)
    onTestFinished(async () => {
      await sql(url(), `DROP DATABASE IF EXISTS ${source}`)
      await sql(url(), `DROP ROLE IF EXISTS ${admin}`)
    })
    const adminUrl = new URL(url())
    adminUrl.username = admin
    adminUrl.password = 'plain'
    return { adminUrl, source }
  }

  test('is deleted as soon as a session has left that the administrator may not cut off', async () => {
    const { adminUrl, source } = await ordinaryAdministrator()
    const ref = newBranch(url(), source)
    const driver = postgres({ server: adminUrl.href })
    await driver.createBranch({ source, ref }, driverCall())
    const superuser = await hold(onDatabase(url(), ref.name))
    await expect(driver.deleteBranch(ref, driverCall())).rejects.toMatchObject({ retryable: true })
    await superuser.end()
    await driver.deleteBranch(ref, driverCall())
    expect(await remainsOf(url(), ref.name)).toEqual([])
  })

  test('can be made and deleted by an administrator who is no superuser but owns the source', async () => {
    const { adminUrl, source } = await ordinaryAdministrator()
    await sql(
      onDatabase(adminUrl.href, source),
      `CREATE SCHEMA app; CREATE TABLE app.lines (id serial, line text);
        CREATE TYPE app.mood AS ENUM ('good'); CREATE VIEW app.all_lines AS TABLE app.lines`,
    )
    const ref = newBranch(url(), source)
    const driver = postgres({ server: adminUrl.href })
    expect((await driver.check()).filter(({ level }) => level === 'error')).toEqual([])
    await driver.createBranch({ source, ref }, driverCall())
    const { url: branch } = await driver.openBranch(ref, driverCall())
    await sql(
      branch.reveal(),
      `ALTER TABLE app.lines ADD COLUMN more text; ALTER TYPE app.mood ADD VALUE 'bad';
        CREATE TABLE app.made (a int)`,
    )
    await hold(branch.reveal())
    await driver.deleteBranch(ref, driverCall())
    expect(await remainsOf(url(), ref.name)).toEqual([])
  })
})

describe('the name of a source', () => {
  const url = embeddedServerUrl

  test.each([
    `we"ird'; DROP DATABASE postgres; --`,
    'host=elsewhere password=x',
    'postgres://elsewhere/db',
    'GRÖSSE/🦊 $1 %s \\ ${x}',
    'x'.repeat(63),
  ])('may be %j', async (name) => {
    const source = await newSource(url(), 'CREATE TABLE lines (line text)', name)
    const ref = newBranch(url(), source)
    const driver = postgres({ server: url() })
    await driver.createBranch({ source, ref }, driverCall())
    const { url: branch } = await driver.openBranch(ref, driverCall())
    expect(await sql(branch.reveal(), 'SELECT * FROM lines')).toEqual([])
  })

  test('is never cut off, replaced or completed to one that exists', async () => {
    const cut = await newSource(url(), '', 'y'.repeat(63))
    const replaced = await newSource(url(), '', 'half \uFFFD')
    const driver = postgres({ server: url() })
    for (const source of [`${cut}y`, 'half \uD800', `${replaced}\0`, '', 'é'.repeat(32)]) {
      const ref = newBranch(url(), source)
      await expect(driver.createBranch({ source, ref }, driverCall())).rejects.toMatchObject({
        code: 'source_missing',
        retryable: false,
      })
      expect(await remainsOf(url(), ref.name)).toEqual([])
    }
  })

  test('is refused when it is a template, the maintenance database or a branch', async () => {
    const source = await newSource(url())
    const branch = newBranch(url(), source)
    const driver = postgres({ server: url() })
    await driver.createBranch({ source, ref: branch }, driverCall())
    for (const forbidden of ['template0', 'template1', 'postgres', branch.name]) {
      const ref = newBranch(url(), forbidden)
      await expect(
        driver.createBranch({ source: forbidden, ref }, driverCall()),
      ).rejects.toMatchObject({ code: 'source_forbidden', retryable: false })
    }
  })
})

test('a branch name that Postgres would cut off is refused', async () => {
  const ref = { ...newBranch(embeddedServerUrl(), 'r'), name: 'x'.repeat(64) }
  const driver = postgres({ server: embeddedServerUrl() })
  const refusal = { code: 'branch_name_invalid', retryable: false }
  await expect(driver.createBranch({ source: 'r', ref }, driverCall())).rejects.toMatchObject(
    refusal,
  )
  await expect(driver.deleteBranch(ref, driverCall())).rejects.toMatchObject(refusal)
})

test('every possible name comes back from the server as it was quoted', async () => {
  const client = await hold(embeddedServerUrl())
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(isPossibleName),
      async (name) => {
        const { fields } = await client.query(`SELECT 1 AS ${identifier(name)}`)
        expect(fields[0]?.name).toBe(name)
      },
    ),
  )
})

describe('a source that is in use', () => {
  test('is copied as soon as the others have left', async () => {
    const url = embeddedServerUrl()
    const source = await newSource(url)
    const ref = newBranch(url, source)
    const holder = await hold(onDatabase(url, source))
    const creation = postgres({ server: url }).createBranch({ source, ref }, driverCall())
    await vi.waitFor(
      async () => expect((await workOn(url, ref.name)).join()).toContain('CREATE DATABASE'),
      { interval: 10 },
    )
    await holder.end()
    await creation
    expect(await remainsOf(url, ref.name)).toEqual(expect.arrayContaining(['database', 'role']))
  })

  test('is refused for good, with who holds it and what to do, where no client tools fit', async () => {
    const url = embeddedServerUrl()
    const source = await newSource(url)
    const ref = newBranch(url, source)
    const holder = await hold(`${onDatabase(url, source)}?application_name=the%20shop`)
    const driver = postgres({ server: url, sourceWait: '100ms' })
    await expect(driver.createBranch({ source, ref }, driverCall())).rejects.toMatchObject({
      code: 'source_in_use',
      retryable: false,
      message: expect.stringMatching(/1 connection of "the shop as postgres".*Close those/),
    })
    expect((await holder.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }])
    await driver.deleteBranch(ref, driverCall())
    expect(await remainsOf(url, ref.name)).toEqual([])
  })

  describe.runIf(programs !== undefined)('and fitting client tools', () => {
    const url = () => installed?.url ?? ''

    test('give a copy that is the role’s own and can be migrated, and disturb nobody', async () => {
      const owner = newName()
      await sql(url(), `CREATE ROLE ${owner}`)
      onTestFinished(async () => {
        await sql(url(), `DROP ROLE ${owner}`)
      })
      const source = await newSource(url(), everyKindOfObject(owner), `so"urce=' ${newName()}`)
      const holder = await hold(onDatabase(url(), source))
      const ref = newBranch(url(), source)
      const driver = postgres({ server: url(), sourceWait: '100ms' })
      await driver.createBranch({ source, ref }, driverCall())
      const branch = (await driver.openBranch(ref, driverCall())).url.reveal()
      expect(await sql(branch, 'SELECT line FROM app.lines')).toEqual([{ line: 'kept' }])
      await sql(branch, migrationOfEveryKind)
      const [strange] = await sql<{ objects: string[] }>(branch, objectsOfOthers)
      expect(strange?.objects ?? []).toEqual([])
      expect((await holder.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }])
    })

    test('keep its encoding and locale', async () => {
      const source = newName()
      await sql(
        url(),
        `CREATE DATABASE ${source} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
      )
      onTestFinished(async () => {
        await sql(url(), `DROP DATABASE ${source} WITH (FORCE)`)
      })
      await hold(onDatabase(url(), source))
      const ref = newBranch(url(), source)
      const driver = postgres({ server: url(), sourceWait: '0s' })
      await driver.createBranch({ source, ref }, driverCall())
      const { url: branch } = await driver.openBranch(ref, driverCall())
      expect(await sql(branch.reveal(), 'SHOW server_encoding')).toEqual([
        { server_encoding: 'LATIN1' },
      ])
    })

    test('stop when the creation is canceled, and leave nothing at work', async () => {
      const source = await newSource(url(), bigTable)
      await hold(onDatabase(url(), source))
      const ref = newBranch(url(), source)
      const driver = postgres({ server: url(), sourceWait: '0s' })
      const cancel = new AbortController()
      const reason = new Error('canceled by the test')
      const creation = driver.createBranch({ source, ref }, driverCall({ signal: cancel.signal }))
      const refusal = expect(creation).rejects.toBe(reason)
      const tools = () =>
        sql(url(), 'SELECT FROM pg_stat_activity WHERE application_name = $1', [ref.name])
      await vi.waitFor(async () => expect(await tools()).toHaveLength(2), {
        timeout: 20_000,
        interval: 5,
      })
      cancel.abort(reason)
      await refusal
      expect(await tools()).toEqual([])
      const copied = await sql(onDatabase(url(), ref.name), `SELECT to_regclass('big') AS name`)
      expect(copied).toEqual([{ name: null }])
      await driver.deleteBranch(ref, driverCall())
      expect(await remainsOf(url(), ref.name)).toEqual([])
    })

    test('are ended at the server when the creation is canceled, whatever it does for them', async () => {
      const source = await newSource(url(), slowIndex)
      await hold(onDatabase(url(), source))
      const ref = newBranch(url(), source)
      const driver = postgres({ server: url(), sourceWait: '0s' })
      const cancel = new AbortController()
      const reason = new Error('canceled by the test')
      const creation = driver.createBranch({ source, ref }, driverCall({ signal: cancel.signal }))
      const refusal = expect(creation).rejects.toBe(reason)
      const atWork = () =>
        sql(
          url(),
          `SELECT FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'CREATE INDEX%'`,
          [ref.name],
        )
      await vi.waitFor(async () => expect(await atWork()).toHaveLength(1), {
        timeout: 20_000,
        interval: 20,
      })
      cancel.abort(reason)
      await refusal
      expect(await atWork()).toEqual([])
    })

    test('make a shared branch anew with the password that was given out under an older key', async () => {
      const source = await newSource(url(), 'CREATE TABLE lines (line text)')
      await hold(onDatabase(url(), source))
      const ref = sharedBranchRef({
        installationId: 'icfg_1',
        resourceId: source,
        projectId: 'prj_1',
        gitBranch: newName(),
        action: 'branch',
      })
      const driver = postgres({ server: url(), sourceWait: '0s' })
      const request = { source, ref, deploymentId: 'dpl_1', onPush: 'reset' } as const
      await driver.sharing?.claimBranch(request, driverCall({ key: 'old' }))
      const given = await driver.openBranch(ref, driverCall({ key: 'old' }))
      const rotating = driverCall({ key: 'new', olderKeys: ['old'] })
      await driver.sharing?.claimBranch({ ...request, deploymentId: 'dpl_2' }, rotating)
      expect(await sql(given.url.reveal(), 'SELECT * FROM lines')).toEqual([])
      for (const deploymentId of ['dpl_1', 'dpl_2'])
        await driver.sharing?.releaseClaim({ ref, deploymentId }, driverCall())
      await driver.sharing?.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall())
      expect(await remainsOf(url(), ref.name)).toEqual([])
    })

    test('fail in words of their own when the copy is not possible', async () => {
      const source = await newSource(
        url(),
        `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
          CREATE EVENT TRIGGER of_superusers_only ON ddl_command_start EXECUTE FUNCTION refuse()`,
      )
      await hold(onDatabase(url(), source))
      const ref = newBranch(url(), source)
      const driver = postgres({ server: url(), sourceWait: '0s' })
      await expect(driver.createBranch({ source, ref }, driverCall())).rejects.toMatchObject({
        code: 'branch_copy_failed',
        retryable: false,
        message: expect.stringContaining('permission denied to create event trigger'),
      })
    })
  })
})

describe('the user of a branch cannot keep it from being deleted', () => {
  const url = embeddedServerUrl

  test.each([
    [
      'by a mark of another owner on the database',
      (name: string) => `COMMENT ON DATABASE ${name} IS ${literal(markOfAnother)}`,
    ],
    [
      'by words of their own on the database',
      (name: string) => `COMMENT ON DATABASE ${name} IS 'mine'`,
    ],
    [
      'by making the database a template',
      (name: string) => `ALTER DATABASE ${name} IS_TEMPLATE true`,
    ],
    [
      'by letting nobody connect to the database',
      (name: string) => `ALTER DATABASE ${name} CONNECTION LIMIT 0`,
    ],
    [
      'by taking every right from everybody',
      (name: string) => `REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${name}`,
    ],
  ])('%s', async (_how, statement) => {
    const source = await newSource(url())
    const ref = newBranch(url(), source)
    const driver = postgres({ server: url() })
    await driver.createBranch({ source, ref }, driverCall())
    const { url: branch } = await driver.openBranch(ref, driverCall())
    await sql(branch.reveal(), statement(ref.name))
    await driver.deleteBranch(ref, driverCall())
    expect(await remainsOf(url(), ref.name)).toEqual([])
  })
})

describe('a server that does not answer', () => {
  test('is a failure that may pass, without the password in it', async () => {
    const driver = postgres({ server: 'postgres://someone:hidden@127.0.0.1:1/db' })
    const ref = newBranch(embeddedServerUrl(), 'r')
    for (const attempt of [
      driver.prepare?.({ postgres: async () => '' }),
      driver.createBranch({ source: 'r', ref }, driverCall()),
      driver.listBranches(driverCall()),
    ])
      await expect(attempt).rejects.toMatchObject({
        code: 'postgres_unreachable',
        retryable: true,
        message: expect.not.stringContaining('hidden'),
      })
    expect(await driver.check()).toMatchObject([{ level: 'error', fix: expect.any(String) }])
  })

  test('is told from one that refuses our login', async () => {
    const url = new URL(embeddedServerUrl())
    url.password = 'hidden'
    const driver = postgres({ server: url.href })
    await expect(driver.listBranches(driverCall())).rejects.toMatchObject({
      code: 'postgres_refused_login',
      retryable: true,
      message: expect.not.stringContaining('hidden'),
    })
  })

  test('and a URL that cannot be read are told apart, without quoting it', async () => {
    const driver = postgres({ server: 'postgres://someone:hidden@[' })
    const failure = await driver.listBranches(driverCall()).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'postgres_url_invalid', retryable: false })
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('hidden')
  })
})

test('the branch URL keeps what the transport needs and encodes the rest', () => {
  const address = parseServerUrl(
    'postgres://admin:secret@[::1]:6543/main?sslmode=no-verify&password=other&application_name=x',
  )
  const url = databaseUrl(address, {
    user: 'a/b',
    password: new Secret('p@:/?#%'),
    database: 'd d',
  })
  expect(url.reveal()).toBe(
    'postgresql://a%2Fb:p%40%3A%2F%3F%23%25@[::1]:6543/d%20d?sslmode=no-verify',
  )
})

test('without a server the driver uses the embedded one that it is handed', async () => {
  const driver = postgres({ server: '' })
  await expect(driver.listBranches(driverCall())).rejects.toMatchObject({
    code: 'driver_not_prepared',
  })
  await driver.prepare?.({ postgres: async () => embeddedServerUrl() })
  expect(await driver.listBranches(driverCall())).toEqual(expect.any(Array))
})

test('a driver that is closed stops what it does and takes no more', async () => {
  const url = embeddedServerUrl()
  const source = await newSource(url)
  const ref = newBranch(url, source)
  const other = await hold(url)
  await other.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [ref.name])
  const driver = postgres({ server: url })
  const deletion = expect(driver.deleteBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'driver_closed',
    retryable: true,
  })
  await vi.waitFor(
    async () => expect((await workOn(url, 'pg_advisory_lock')).join()).toContain('$1'),
    { interval: 10 },
  )
  await driver.close()
  await deletion
  await driver.close()
  await expect(driver.listBranches(driverCall())).rejects.toMatchObject({ code: 'driver_closed' })
})

test('a process ends by itself once its calls are done', async () => {
  const url = embeddedServerUrl()
  const source = await newSource(url)
  const ref = newBranch(url, source)
  const worker = spawn(
    process.execPath,
    [...createBranchProcess, url, ref.owner.deploymentId, source],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exit = once(worker, 'exit')
  await once(worker.stdout, 'data')
  const late = sleep(10_000, 'still there', { ref: false })
  expect(await Promise.race([exit, late])).toEqual([0, null])
})

test('a waiting time that is no duration is refused at once', () => {
  expect(() => postgres({ sourceWait: 'soon' })).toThrow(/'10 seconds'/)
})

const createBranchProcess = [
  '--import',
  'tsx',
  join(import.meta.dirname, 'create-branch-process.ts'),
]

const markOfAnother = writeMark({
  holdpoint: 'another',
  owner: { installationId: 'icfg_2', resourceId: 'r', deploymentId: 'dpl_2', action: 'branch' },
  source: 'r',
  createdAt: new Date(),
  edition: 1,
  claims: [],
})

/** Large enough that copying it can be cut off. */
const bigTable = `CREATE TABLE big (filler text);
  ALTER TABLE big ALTER filler SET STORAGE EXTERNAL;
  INSERT INTO big SELECT repeat('x', 100000) FROM generate_series(1, 1500)`

const everyKindOfObject = (owner: string) => `
  SET ROLE postgres;
  CREATE SCHEMA app AUTHORIZATION ${owner};
  CREATE SCHEMA "Odd ""name""";
  CREATE EXTENSION pg_trgm;
  SET ROLE ${owner};
  CREATE TYPE app.mood AS ENUM ('good', 'bad');
  CREATE TYPE app.pair AS (a int, b text);
  CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
  CREATE TYPE app.span AS RANGE (subtype = float8);
  CREATE TABLE app.lines (id serial PRIMARY KEY, line text, mood app.mood);
  INSERT INTO app.lines (line) VALUES ('kept');
  CREATE TABLE app.numbered (id int GENERATED ALWAYS AS IDENTITY);
  CREATE TABLE app.parts (a int) PARTITION BY LIST (a);
  CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES IN (1);
  CREATE VIEW app.all_lines AS SELECT * FROM app.lines;
  CREATE MATERIALIZED VIEW app.kept_lines AS SELECT * FROM app.lines;
  CREATE SEQUENCE app.counter;
  CREATE FUNCTION app.twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2';
  CREATE PROCEDURE app.act() LANGUAGE sql AS 'SELECT 1';
  CREATE AGGREGATE app.total (int) (sfunc = int4pl, stype = int);
  CREATE OPERATOR app.<+> (leftarg = int, rightarg = int, function = int4pl);
  CREATE STATISTICS app.figures ON id, line FROM app.lines;
  CREATE COLLATION app.plain FROM "C";
  CREATE TEXT SEARCH DICTIONARY app.words (template = simple);
  CREATE TEXT SEARCH CONFIGURATION app.search (copy = simple);
  RESET ROLE;
  CREATE TABLE "Odd ""name"""."T able" (a int);
  CREATE TABLE public.of_superuser (a int);
  CREATE FUNCTION public.of_superuser(VARIADIC a text[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
  SELECT lo_create(4711)`

const migrationOfEveryKind = `
  ALTER TABLE app.lines ADD COLUMN more text;
  ALTER TABLE app.numbered ADD COLUMN more text;
  CREATE INDEX ON app.lines (line);
  INSERT INTO app.lines (line) VALUES ('new');
  ALTER TABLE app.part_1 ADD CHECK (a = 1);
  CREATE OR REPLACE VIEW app.all_lines AS SELECT * FROM app.lines WHERE id > 0;
  DROP MATERIALIZED VIEW app.kept_lines;
  ALTER SEQUENCE app.counter RESTART;
  CREATE OR REPLACE FUNCTION app.twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a + a';
  DROP PROCEDURE app.act();
  DROP AGGREGATE app.total (int);
  DROP OPERATOR app.<+> (int, int);
  DROP STATISTICS app.figures;
  DROP COLLATION app.plain;
  DROP TEXT SEARCH CONFIGURATION app.search;
  DROP TEXT SEARCH DICTIONARY app.words;
  ALTER TYPE app.pair ADD ATTRIBUTE c int;
  ALTER DOMAIN app.positive SET DEFAULT 1;
  DROP TYPE app.span;
  ALTER TYPE app.mood RENAME VALUE 'bad' TO 'poor';
  ALTER TABLE "Odd ""name"""."T able" ADD COLUMN b int;
  DROP SCHEMA "Odd ""name""" CASCADE;
  ALTER TABLE public.of_superuser ADD COLUMN b int;
  DROP FUNCTION public.of_superuser(VARIADIC text[]);
  CREATE TABLE public.made (a int);
  SELECT lo_unlink(4711);
  DROP SCHEMA app CASCADE`

/** Tables and functions that neither the branch's role owns nor an extension brought. */
const objectsOfOthers = `
  SELECT array_agg(name) AS objects FROM (
    SELECT oid, oid::regclass::text AS name, relowner AS owner FROM pg_class
    UNION ALL SELECT oid, oid::regprocedure::text, proowner FROM pg_proc
    UNION ALL SELECT oid, oid::regtype::text, typowner FROM pg_type
  ) AS objects
  WHERE oid >= 16384 AND owner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = objects.oid AND d.deptype = 'e')
    AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_depend e ON e.objid = d.refobjid AND e.deptype = 'e'
      WHERE d.objid = objects.oid AND d.deptype = 'i')
  HAVING count(*) > 0`
