import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { branchRef } from '../../src/domain/branch-ref.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { writeResourceMark } from '../../src/drivers/postgres/resource-mark.ts'
import { literal } from '../../src/drivers/postgres/sql.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import {
  findInstalledPostgres,
  type InstalledServer,
  startInstalledPostgres,
} from './installed-server.ts'
import { startPostgresProxy } from './postgres-proxy.ts'
import {
  closeConnections,
  connect,
  embeddedServerUrl,
  hold,
  keepConnections,
  newBranch,
  newName,
  onDatabase,
  sql,
} from './postgres-under-test.ts'
import {
  dangling,
  madeResource,
  newResource,
  ordinaryAdministrator,
  resourcesAt,
  standing,
  urlOf,
} from './resource-under-test.ts'

const programs = await findInstalledPostgres()
let installed: InstalledServer | undefined

const servers: { name: string; url: () => string }[] = [
  { name: 'the embedded Postgres', url: embeddedServerUrl },
]
if (programs !== undefined)
  servers.push({ name: `the Postgres of ${programs}`, url: () => installed?.url ?? '' })

beforeAll(async () => {
  if (programs !== undefined) installed = await startInstalledPostgres(programs)
  for (const { url } of servers) keepConnections(url())
})
afterAll(async () => {
  await closeConnections()
  await installed?.stop()
})

const administrators = servers.flatMap(({ name, url }) => [
  { name: `${name}, made by a superuser,`, url, adminUrl: async () => url() },
  {
    name: `${name}, made by an administrator who is no superuser,`,
    url,
    adminUrl: async () => ordinaryAdministrator(url()),
  },
])

describe.each(administrators)('a database on $name', ({ url, adminUrl }) => {
  /** The administrator goes last of all that the test made. */
  async function scene() {
    const admin = await adminUrl()
    const key = newResource(url())
    return { admin, key, name: key.resourceId, resources: resourcesAt(admin) }
  }

  test('is made once, however many ask for it at the same time', async () => {
    const { admin, key, name, resources } = await scene()
    const others = [resourcesAt(admin), resourcesAt(admin)]
    const made = await Promise.all(
      [resources, ...others, ...others].map((each) => each.createResource({ key }, driverCall())),
    )
    expect(made).toHaveLength(5)
    expect(made).toEqual(made.map(() => ({ generation: 1 })))
    expect(await standing(url(), name)).toEqual([
      `database ${name}`,
      `role ${name}`,
      `role ${name}_1`,
    ])
  })

  test('has credentials that open it and nothing else, and nobody else’s open it', async () => {
    const { key, name, resources } = await scene()
    const other = newResource(url())
    const [mine, theirs] = [
      await madeResource(resources, key),
      await madeResource(resources, other),
    ]
    await sql(
      mine,
      `CREATE SCHEMA app; CREATE TABLE app.lines (line text); CREATE TABLE more (a int)`,
    )
    expect(await sql(mine, 'SELECT current_user AS owner, current_database() AS database')).toEqual(
      [{ owner: name, database: name }],
    )
    const forbidden = { code: '42501' }
    await expect(connect(onDatabase(theirs, name))).rejects.toMatchObject(forbidden)
    await expect(connect(onDatabase(mine, other.resourceId))).rejects.toMatchObject(forbidden)
    await expect(sql(mine, 'CREATE DATABASE more')).rejects.toMatchObject(forbidden)
    await expect(sql(mine, 'CREATE ROLE more')).rejects.toMatchObject(forbidden)
    await expect(sql(mine, `GRANT ${other.resourceId} TO ${name}`)).rejects.toMatchObject(forbidden)
    await expect(sql(mine, `ALTER ROLE ${name}_1 CONNECTION LIMIT 1000`)).rejects.toMatchObject(
      forbidden,
    )
  })

  test('is used by old and new credentials alike until the old ones are ended', async () => {
    const { key, name, resources } = await scene()
    const old = await madeResource(resources, key)
    await sql(old, `CREATE TABLE lines AS SELECT 'of the old ones' AS line`)
    const rotation = { key, generation: 1, rotationId: 'rotation 1' }
    expect(await resources.addLogin(rotation, driverCall())).toEqual({ generation: 2 })
    expect(await resources.addLogin(rotation, driverCall())).toEqual({ generation: 2 })
    const fresh = await urlOf(resources, key, 2)
    await sql(fresh, `INSERT INTO lines VALUES ('of the new ones'); ALTER TABLE lines ADD more int`)
    await sql(fresh, 'CREATE TABLE fresh (a int)')
    await sql(old, 'DROP TABLE fresh')
    expect(await sql(old, 'SELECT line FROM lines')).toHaveLength(2)

    const session = await hold(old)
    await resources.endOlderLogins({ key, generation: 2 }, driverCall())
    await resources.endOlderLogins({ key, generation: 2 }, driverCall())
    await vi.waitFor(() => expect(session.query('SELECT 1')).rejects.toThrow())
    await expect(connect(old)).rejects.toMatchObject({ code: '28P01' })
    await expect(urlOf(resources, key, 1)).rejects.toMatchObject({
      code: 'resource_login_ended',
      retryable: false,
    })
    expect(await sql(fresh, 'SELECT line FROM lines')).toHaveLength(2)
    expect(await urlOf(resources, key, 2)).toBe(fresh)
    expect(await standing(url(), name)).toEqual([
      `database ${name}`,
      `role ${name}`,
      `role ${name}_2`,
    ])
    expect(await resources.addLogin({ ...rotation, rotationId: '2' }, driverCall())).toEqual({
      generation: 3,
    })
  })

  test('keeps what old credentials made as themselves, in whatever way its owner shut it', async () => {
    const { key, name, resources } = await scene()
    const old = await madeResource(resources, key)
    await sql(
      old,
      `CREATE SCHEMA app; SET ROLE NONE; CREATE TABLE app.lines AS SELECT 'kept' AS line; SELECT lo_create(4711);
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; SET ROLE ${name};
        CREATE TABLE app.more (a int); GRANT SELECT ON app.more TO ${name}_1`,
    )
    await sql(
      old,
      `ALTER DATABASE ${name} SET role = ${literal(name)}; ALTER DATABASE ${name} SET default_transaction_read_only = on`,
    )
    await resources.addLogin({ key, generation: 1, rotationId: '1' }, driverCall())
    await resources.endOlderLogins({ key, generation: 2 }, driverCall())
    const fresh = await urlOf(resources, key, 2)
    expect(
      await sql(fresh, `SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'app'`),
    ).toEqual([
      { tablename: 'lines', tableowner: name },
      { tablename: 'more', tableowner: name },
    ])
    expect(await sql(fresh, 'SELECT line FROM app.lines')).toEqual([{ line: 'kept' }])
    expect(await sql(fresh, 'SELECT oid FROM pg_largeobject_metadata')).toHaveLength(1)
    await resources.deleteResource(key, driverCall())
    expect(await standing(url(), name)).toEqual([])
  })

  test('is deleted with all that was made for it, whoever is connected, and nothing else is', async () => {
    const { key, name, resources } = await scene()
    const before = await standing(url())
    const mine = await madeResource(resources, key)
    await resources.addLogin({ key, generation: 1, rotationId: '1' }, driverCall())
    await hold(mine)
    await hold(await urlOf(resources, key, 2))
    // Where everybody may connect, its logins may too.
    const elsewhere = await hold(onDatabase(mine, 'postgres'))
    await resources.deleteResource(key, driverCall())
    await resources.deleteResource(key, driverCall())
    expect(await standing(url())).toEqual(before)
    expect(await dangling(url())).toEqual([])
    await vi.waitFor(() => expect(elsewhere.query('SELECT 1')).rejects.toThrow())
    await expect(urlOf(resources, key, 1)).rejects.toMatchObject({
      code: 'resource_missing',
      retryable: false,
    })
    const rotation = { key, generation: 1, rotationId: '2' }
    await expect(resources.addLogin(rotation, driverCall())).rejects.toMatchObject({
      code: 'resource_missing',
    })
    expect(await standing(url(), name)).toEqual([])
  })

  test('is branched like any other, and its branches outlive it with all they have', async () => {
    const { admin, key, name, resources } = await scene()
    const driver = postgres({ server: admin })
    onTestFinished(() => driver.close())
    const mine = await madeResource(resources, key)
    // The extension and the default rights are of those things that a copy cannot be made the owner of.
    await sql(
      mine,
      `CREATE EXTENSION pg_trgm; CREATE TABLE lines (line text); INSERT INTO lines VALUES ('kept');
        CREATE INDEX ON lines USING gin (line gin_trgm_ops); GRANT SELECT ON lines TO ${name}_1;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
        SET ROLE NONE; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; CREATE EXTENSION citext`,
    )
    const ref = newBranch(url(), name)
    await driver.createBranch({ source: name, ref }, driverCall())
    const listed = (await driver.listBranches(driverCall())).map((branch) => branch.ref.name)
    expect(listed).toContain(ref.name)
    expect(listed).not.toContain(name)
    const branch = (await driver.openBranch(ref, driverCall())).url.reveal()
    await expect(connect(onDatabase(branch, name))).rejects.toMatchObject({ code: '42501' })
    await expect(connect(onDatabase(mine, ref.name))).rejects.toMatchObject({ code: '42501' })

    await resources.addLogin({ key, generation: 1, rotationId: '1' }, driverCall())
    await resources.endOlderLogins({ key, generation: 2 }, driverCall())
    await sql(branch, 'DROP EXTENSION citext')
    await resources.deleteResource(key, driverCall())
    expect(await standing(url(), name)).toEqual([])
    expect(await dangling(url())).toEqual([])
    await sql(branch, `INSERT INTO lines VALUES ('new'); ALTER TABLE lines ADD more text`)
    expect(await sql(branch, `SELECT line FROM lines WHERE line % 'kept'`)).toEqual([
      { line: 'kept' },
    ])
    await sql(branch, 'DROP EXTENSION pg_trgm CASCADE')
    await driver.deleteBranch(ref, driverCall())
    expect(await standing(url(), ref.name)).toEqual([])
  })
})

describe('what somebody else made', () => {
  const url = embeddedServerUrl
  const refusal = { code: 'resource_owner_mismatch', retryable: false }

  test.each([
    ['a database', 'database', undefined],
    ['a role', 'role', undefined],
    ['a role made for another resource', 'role', { resourceId: 'hpr_other' }],
    ['a role made by another Holdpoint', 'role', { holdpoint: 'another' }],
  ])('under its name, %s, is neither used nor deleted', async (_what, kind, mark) => {
    const key = newResource(url())
    const name = key.resourceId
    const { holdpoint } = driverCall()
    const words = writeResourceMark({ resourceId: name, holdpoint, createdAt: new Date(), ...mark })
    await sql(url(), `CREATE ${kind} ${name}`)
    if (mark) await sql(url(), `COMMENT ON ROLE ${name} IS ${literal(words)}`)
    const resources = resourcesAt(url())
    const rotation = { key, generation: 1, rotationId: '1' }
    for (const attempt of [
      () => resources.createResource({ key }, driverCall()),
      () => resources.openResource({ key, generation: 1 }, driverCall()),
      () => resources.addLogin(rotation, driverCall()),
      () => resources.endOlderLogins({ key, generation: 9 }, driverCall()),
      () => resources.deleteResource(key, driverCall()),
    ])
      await expect(attempt()).rejects.toMatchObject(refusal)
    expect(await standing(url(), name)).toEqual([`${kind} ${name}`])
  })

  test('under the name of a login is left alone, and keeps the login from being made', async () => {
    const key = newResource(url())
    const name = key.resourceId
    const resources = resourcesAt(url())
    await sql(url(), `CREATE ROLE ${name}_1; CREATE ROLE ${name}_x`)
    await expect(resources.createResource({ key }, driverCall())).rejects.toMatchObject(refusal)
    await sql(url(), `DROP ROLE ${name}_1; CREATE ROLE ${name}_2`)
    await resources.createResource({ key }, driverCall())
    const rotation = { key, generation: 1, rotationId: '1' }
    await expect(resources.addLogin(rotation, driverCall())).rejects.toMatchObject(refusal)
    await resources.endOlderLogins({ key, generation: 9 }, driverCall())
    await resources.deleteResource(key, driverCall())
    expect(await standing(url(), name)).toEqual([`role ${name}_2`, `role ${name}_x`])
  })

  test('is safe though a customer writes on his database what a branch has there', async () => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    const mine = await madeResource(resources, key)
    const { owner } = branchRef({
      installationId: 'icfg_2',
      resourceId: 'r',
      deploymentId: 'dpl_1',
      action: 'branch',
    })
    const forged = { holdpoint: 'holdpoint for tests', owner, source: 'r', createdAt: new Date() }
    await sql(mine, `COMMENT ON DATABASE ${key.resourceId} IS ${literal(JSON.stringify(forged))}`)
    const driver = postgres({ server: url() })
    onTestFinished(() => driver.close())
    const names = (await driver.listBranches(driverCall())).map((branch) => branch.ref.name)
    expect(names).not.toContain(key.resourceId)
    await resources.deleteResource(key, driverCall())
    expect(await standing(url(), key.resourceId)).toEqual([])
  })
})

describe('a resource', () => {
  const url = embeddedServerUrl

  test('is the same one when another installation has it', async () => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    const mine = await madeResource(resources, key)
    const moved = { ...key, installationId: 'icfg_2' }
    expect(await urlOf(resources, moved, 1)).toBe(mine)
    await resources.deleteResource(moved, driverCall())
    expect(await standing(url(), key.resourceId)).toEqual([])
  })

  test('keeps what is in it when it is asked for again', async () => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    await sql(await madeResource(resources, key), `CREATE TABLE lines AS SELECT 'kept' AS line`)
    await sql(url(), `COMMENT ON DATABASE ${key.resourceId} IS 'mine'`)
    const again = await madeResource(resources, key)
    await resources.createResource({ key, connectionLimit: 5 }, driverCall())
    expect(await sql(again, 'SELECT line FROM lines')).toEqual([{ line: 'kept' }])
    const comment = await sql(
      url(),
      `SELECT shobj_description(oid, 'pg_database') AS words FROM pg_database WHERE datname = $1`,
      [key.resourceId],
    )
    expect(comment).toEqual([{ words: 'mine' }])
  })

  test.each([
    [
      'whose database was half dropped',
      (name: string) => `UPDATE pg_database SET datconnlimit = -2 WHERE datname = '${name}'`,
    ],
    [
      'that everybody may enter',
      (name: string) => `UPDATE pg_database SET datacl = NULL WHERE datname = '${name}'`,
    ],
    ['whose login is shut out', (name: string) => `ALTER ROLE ${name}_1 NOLOGIN`],
    ['without a login', (name: string) => `DROP ROLE ${name}_1`],
  ])('%s is told as half made, completed, and deleted', async (_how, statement) => {
    const key = newResource(url())
    const name = key.resourceId
    const resources = resourcesAt(url())
    await madeResource(resources, key)
    await sql(url(), statement(name))
    const halfMade = { code: 'resource_incomplete', retryable: true }
    const rotation = { key, generation: 1, rotationId: '1' }
    await expect(urlOf(resources, key, 1)).rejects.toMatchObject(halfMade)
    await expect(resources.addLogin(rotation, driverCall())).rejects.toMatchObject(halfMade)
    const again = await madeResource(resources, key)
    expect(await sql(again, 'SELECT current_user AS owner')).toEqual([{ owner: name }])
    const rights = `SELECT has_database_privilege('public', $1, 'CONNECT') AS granted`
    expect(await sql(url(), rights, [name])).toEqual([{ granted: false }])
    await sql(url(), statement(name))
    await resources.deleteResource(key, driverCall())
    expect(await standing(url(), name)).toEqual([])
  })

  test('is not made by a call that was given up', async () => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    const gone = new Error('given up')
    const confirm = async () => Promise.reject(gone)
    await expect(resources.createResource({ key }, driverCall({ confirm }))).rejects.toThrow()
    expect(await standing(url(), key.resourceId)).toEqual([])
    const mine = await madeResource(resources, key)
    const rotation = { key, generation: 1, rotationId: '1' }
    await expect(resources.addLogin(rotation, driverCall({ confirm }))).rejects.toThrow()
    await expect(resources.deleteResource(key, driverCall({ confirm }))).rejects.toThrow()
    expect(await sql(mine, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }])
    expect(await standing(url(), key.resourceId)).toHaveLength(3)
  })

  test('has as many connections at a time as it was given, and can be opened meanwhile', async () => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    await resources.createResource({ key, connectionLimit: 1 }, driverCall())
    const mine = await urlOf(resources, key, 1)
    const rotation = { key, generation: 1, rotationId: '1', connectionLimit: 1 }
    await resources.addLogin(rotation, driverCall())
    // The session that proved the login may take a moment to leave.
    const first = await vi.waitFor(() => hold(mine))
    await expect(connect(mine)).rejects.toMatchObject({ code: '53300' })
    expect(await urlOf(resources, key, 1)).toBe(mine)
    const wrong = driverCall({ key: 'another key' })
    await expect(resources.openResource({ key, generation: 1 }, wrong)).rejects.toMatchObject({
      code: 'resource_password_unknown',
    })
    await vi.waitFor(async () => hold(await urlOf(resources, key, 2)))
    await resources.createResource({ key, connectionLimit: 2 }, driverCall())
    await hold(mine)
    expect((await first.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }])
  })

  test('is opened with the password that it has, under whichever key that was made', async () => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    const old = driverCall({ key: 'old' })
    await resources.createResource({ key }, old)
    const given = await resources.openResource({ key, generation: 1 }, old)
    const rotating = driverCall({ key: 'new', olderKeys: ['old'] })
    const again = await resources.openResource({ key, generation: 1 }, rotating)
    expect(again.url.reveal()).toBe(given.url.reveal())
  })

  test('whose customer changed the password goes on with that, and gets new credentials', async () => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    const mine = await madeResource(resources, key)
    await sql(mine, `SET ROLE NONE; ALTER ROLE ${key.resourceId}_1 PASSWORD 'of my own'`)
    await expect(urlOf(resources, key, 1)).rejects.toMatchObject({
      code: 'resource_password_unknown',
      retryable: false,
    })
    const changed = new URL(mine)
    changed.password = 'of my own'
    expect(await sql(changed.href, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }])
    await resources.addLogin({ key, generation: 1, rotationId: '1' }, driverCall())
    expect(await sql(await urlOf(resources, key, 2), 'SELECT 1 AS alive')).toHaveLength(1)
  })

  test.each([
    ['by words of their own', (name: string) => `COMMENT ON DATABASE ${name} IS 'mine'`],
    ['by making it a template', (name: string) => `ALTER DATABASE ${name} IS_TEMPLATE true`],
    ['by letting nobody connect', (name: string) => `ALTER DATABASE ${name} CONNECTION LIMIT 0`],
    ['by taking every right', (name: string) => `REVOKE ALL ON DATABASE ${name} FROM ${name}`],
    [
      'by things of theirs elsewhere',
      (name: string) => `SET ROLE NONE; SELECT lo_create(0); SET ROLE ${name}; SELECT lo_create(0)`,
    ],
  ])('is deleted though its customer resists, %s', async (how, statement) => {
    const key = newResource(url())
    const resources = resourcesAt(url())
    const mine = await madeResource(resources, key)
    const place = how.endsWith('elsewhere') ? onDatabase(mine, 'postgres') : mine
    await sql(place, statement(key.resourceId))
    await resources.deleteResource(key, driverCall())
    expect(await standing(url(), key.resourceId)).toEqual([])
    expect(await dangling(url())).toEqual([])
  })

  test('has a name that no login of it is cut off in', async () => {
    const resources = resourcesAt(url())
    const refusal = { code: 'resource_name_invalid', retryable: false }
    for (const resourceId of ['x'.repeat(54), '', 'half \uD800', `${newName()}\0`]) {
      const key = { installationId: 'icfg_1', resourceId }
      await expect(resources.createResource({ key }, driverCall())).rejects.toMatchObject(refusal)
      await expect(resources.deleteResource(key, driverCall())).rejects.toMatchObject(refusal)
    }
  })

  test('tells its passwords in no statement, comment or error', async () => {
    const key = newResource(url())
    const proxy = await startPostgresProxy(url())
    onTestFinished(() => proxy.close())
    const resources = resourcesAt(proxy.url)
    await resources.createResource({ key }, driverCall())
    await resources.addLogin({ key, generation: 1, rotationId: '1' }, driverCall())
    const passwords = await Promise.all(
      [1, 2].map(async (generation) =>
        (await resources.openResource({ key, generation }, driverCall())).password.reveal(),
      ),
    )
    await sql(url(), `ALTER ROLE ${key.resourceId}_1 PASSWORD 'other'`)
    const failures = await Promise.all([
      resources.openResource({ key, generation: 1 }, driverCall()).catch((error: unknown) => error),
      resources.openResource({ key, generation: 3 }, driverCall()).catch((error: unknown) => error),
    ])
    const comments = await sql<{ words: string }>(
      url(),
      `SELECT description AS words FROM pg_shdescription`,
    )
    const told = [
      ...proxy.heard(),
      ...comments.map(({ words }) => words),
      ...failures.map((error) => JSON.stringify(error, Object.getOwnPropertyNames(error))),
    ].join('\n')
    expect(new Set(passwords).size).toBe(2)
    expect(told).toContain(`CREATE ROLE "${key.resourceId}_2"`)
    expect(told).toContain('SCRAM-SHA-256$')
    expect(told).toContain('resource_password_unknown')
    for (const password of passwords) {
      expect(told).not.toContain(password)
      expect(told).not.toContain(encodeURIComponent(password))
    }
  })
})
