import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import {
  postgresStore,
  type PostgresStoreSettings,
} from '../../src/installations/postgres-store.ts'
import type { InstallationStore } from '../../src/installations/store.ts'
import {
  dropSource,
  embeddedServerUrl,
  newName,
  newSource,
  onDatabase,
  sql,
} from '../drivers/postgres-under-test.ts'
import { startPostgresProxy } from '../drivers/postgres-proxy.ts'
import { deadUrl } from '../vercel/small-server.ts'
import { describeStoreContract, installationOf, requestOf, resourceOf, TOKEN } from './contract.ts'

const key = (id: string) => ({ id, bytes: randomBytes(32) })
const [older, newer] = [key('2026-01'), key('2026-08')]

const shared = newName()
let sharedUrl: string

beforeAll(async () => {
  await sql(embeddedServerUrl(), `CREATE DATABASE ${shared}`)
  sharedUrl = onDatabase(embeddedServerUrl(), shared)
  const store = postgresStore({ url: sharedUrl, keys: [older] })
  await store.prepare()
  await store.close()
})
afterAll(() => dropSource(embeddedServerUrl(), shared))

describeStoreContract('the store in Postgres', async (settings) =>
  postgresStore({ url: sharedUrl, keys: [older], ...settings }),
)

/** A database of its own, without tables. */
async function newDatabase(): Promise<string> {
  return onDatabase(embeddedServerUrl(), await newSource(embeddedServerUrl()))
}

function opened(url: string, settings: Partial<PostgresStoreSettings> = {}): InstallationStore {
  const store = postgresStore({ url, keys: [older], ...settings })
  onTestFinished(() => store.close())
  return store
}

async function prepared(url: string, settings: Partial<PostgresStoreSettings> = {}) {
  const store = opened(url, settings)
  await store.prepare()
  return store
}

/** A prepared store with an installation, its token, a resource, an answer and a transfer. */
async function filled(url: string) {
  const store = await prepared(url)
  const installation = installationOf()
  const { id } = installation
  await store.putInstallation(installation, new Secret(TOKEN))
  const resource = resourceOf(id)
  await store.putResource(resource)
  const request = requestOf(id)
  await store.recallAnswer(request)
  await store.rememberAnswer(request, { status: 200, body: '{"value":"hunter2"}' })
  await store.putTransferRequest({
    claimId: newName(),
    fromInstallationId: id,
    resourceIds: [resource.id],
    expiresAtMs: Date.now() + 60_000,
  })
  return { store, id, request, resource }
}

/** Every row of every table that is not Postgres' own, as a text. */
async function everyRow(url: string): Promise<string[]> {
  const tables = await sql<{ name: string }>(
    url,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )
  const rows = await Promise.all(
    tables.map(({ name }) =>
      sql<{ text: string }>(url, `SELECT t::text AS text FROM ${name} AS t`),
    ),
  )
  return rows.flat().map(({ text }) => text)
}

describe('the schema', () => {
  test('is made once, however many connections and processes prepare it at the same moment', async () => {
    const url = await newDatabase()
    const run = promisify(execFile)
    const script = join(import.meta.dirname, 'prepare-store-process.ts')
    const [first, second] = await Promise.all([
      run(process.execPath, ['--import', 'tsx', script, url]),
      run(process.execPath, ['--import', 'tsx', script, url]),
      ...Array.from({ length: 6 }, () => prepared(url)),
    ])
    expect([first.stdout, second.stdout]).toEqual(['prepared\n', 'prepared\n'])
    const migrations = await sql(url, 'SELECT name FROM holdpoint.migrations')
    expect(migrations).toEqual([
      { name: '0001_installations' },
      { name: '0002_accepted_transfers' },
    ])
  })

  test('is left as it is, with all that it holds, when it is prepared again', async () => {
    const url = await newDatabase()
    await filled(url)
    const before = await everyRow(url)
    await prepared(url)
    expect((await everyRow(url)).sort()).toEqual(before.sort())
  })

  test('stays in its own place: nothing is made outside of it', async () => {
    const url = await newDatabase()
    await filled(url)
    const places = await sql(
      url,
      `SELECT DISTINCT relnamespace::regnamespace::text AS name FROM pg_class
        WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`,
    )
    expect(places).toEqual([{ name: 'holdpoint' }])
  })

  test('can be made by a role that has nothing but an empty schema', async () => {
    const url = await newDatabase()
    const role = newName()
    await sql(url, `CREATE ROLE ${role} LOGIN PASSWORD 'plain'`)
    onTestFinished(async () => {
      await sql(url, `DROP OWNED BY ${role}`)
      await sql(url, `DROP ROLE ${role}`)
    })
    const login = new URL(url)
    login.username = role
    login.password = 'plain'
    await expect(prepared(login.href)).rejects.toMatchObject({ code: 'store_rights_missing' })
    await sql(url, `CREATE SCHEMA holdpoint AUTHORIZATION ${role}`)
    const store = await prepared(login.href)
    await store.putInstallation(installationOf(), new Secret(TOKEN))
    await prepared(login.href)
  })

  test('of a later release is used as it is', async () => {
    const url = await newDatabase()
    await prepared(url)
    await sql(
      url,
      `INSERT INTO holdpoint.migrations (name, run_on) VALUES ('0099_later', now());
        ALTER TABLE holdpoint.installations ADD COLUMN later text`,
    )
    const store = await prepared(url)
    const installation = installationOf()
    await store.putInstallation(installation, undefined)
    expect(await store.getInstallation(installation.id)).toEqual(installation)
  })
})

describe('in the database', () => {
  test('no token and nothing of an answer stands in clear', async () => {
    const url = await newDatabase()
    const { store, id, resource } = await filled(url)
    await store.replaceAccessToken(id, new Secret(`${TOKEN}-2`))
    const dump = (await everyRow(url)).join('\n')
    expect(dump).toContain(id)
    expect(dump).toContain(resource.id)
    for (const secret of [TOKEN, 'hunter2']) {
      expect(dump).not.toContain(secret)
      expect(dump).not.toContain(Buffer.from(secret).toString('base64url').slice(0, -2))
    }
  })

  test('a token or an answer that is moved to another row does not open there', async () => {
    const url = await newDatabase()
    const { store, id, request } = await filled(url)
    const other = installationOf()
    await store.putInstallation(other, undefined)
    await sql(
      url,
      `UPDATE holdpoint.installations SET access_token =
        (SELECT access_token FROM holdpoint.installations WHERE id = $1) WHERE id = $2`,
      [id, other.id],
    )
    await expect(store.accessToken(other.id)).rejects.toMatchObject({
      code: 'sealed_value_broken',
      retryable: false,
      message: expect.stringContaining(other.id),
    })
    await sql(url, 'UPDATE holdpoint.answers SET installation_id = $1', [other.id])
    await expect(
      store.recallAnswer({ ...request, installationId: other.id }),
    ).rejects.toMatchObject({ code: 'sealed_value_broken' })
    expect((await store.accessToken(id))?.reveal()).toBe(TOKEN)
  })

  test('nothing is left of an installation that was removed', async () => {
    const url = await newDatabase()
    const { store, id } = await filled(url)
    const rowsOf = async () => (await everyRow(url)).filter((row) => row.includes(id))
    expect(await rowsOf()).toHaveLength(4)
    await store.removeInstallation(id)
    expect(await rowsOf()).toEqual([])
  })

  test('what expired is deleted without anybody asking for it', async () => {
    const url = await newDatabase()
    const store = await prepared(url, { answersForMs: 1, sweepEveryMs: 10 })
    const installation = installationOf()
    await store.putInstallation(installation, undefined)
    const request = requestOf(installation.id)
    await store.recallAnswer(request)
    await store.rememberAnswer(request, { status: 200, body: 'hunter2' })
    const transfer = { fromInstallationId: installation.id, resourceIds: [] }
    await store.putTransferRequest({ ...transfer, claimId: 'old', expiresAtMs: 1 })
    await store.putTransferRequest({ ...transfer, claimId: 'new', expiresAtMs: Date.now() })
    await vi.waitFor(async () => {
      expect(await sql(url, 'SELECT key FROM holdpoint.answers')).toEqual([])
      const claims = await sql(url, 'SELECT claim_id FROM holdpoint.transfer_requests')
      expect(claims).toEqual([{ claim_id: 'new' }])
    })
    expect(await store.getInstallation(installation.id)).toEqual(installation)
  })
})

describe('when the key is rotated', () => {
  test('what the older one sealed opens, and after a start with the newer one nobody needs the older', async () => {
    const url = await newDatabase()
    const { id, request } = await filled(url)
    const rotated = opened(url, { keys: [newer, older] })
    expect((await rotated.accessToken(id))?.reveal()).toBe(TOKEN)
    await expect(opened(url, { keys: [newer] }).accessToken(id)).rejects.toMatchObject({
      code: 'encryption_key_unknown',
    })
    await rotated.prepare()
    const alone = await prepared(url, { keys: [newer] })
    expect((await alone.accessToken(id))?.reveal()).toBe(TOKEN)
    expect(await alone.recallAnswer(request)).toMatchObject({ kind: 'answered' })
  })

  test('by several at once, each value is sealed anew and stays the same', async () => {
    const url = await newDatabase()
    const { store } = await filled(url)
    const ids = Array.from({ length: 50 }, () => installationOf().id)
    for (const id of ids) await store.putInstallation(installationOf({ id }), new Secret(id))
    await Promise.all(Array.from({ length: 4 }, () => prepared(url, { keys: [newer, older] })))
    const alone = opened(url, { keys: [newer] })
    const tokens = await Promise.all(ids.map((id) => alone.accessToken(id)))
    expect(tokens.map((token) => token?.reveal())).toEqual(ids)
  })

  test('what does not open keeps nothing from being ready, and is told by the check', async () => {
    const url = await newDatabase()
    const { id } = await filled(url)
    const store = await prepared(url, { keys: [newer] })
    await expect(store.accessToken(id)).rejects.toMatchObject({ code: 'encryption_key_unknown' })
    expect(await store.check()).toContainEqual({
      subject: 'Installation tokens',
      level: 'error',
      message: expect.stringMatching(/^1 are sealed with the key "2026-01"/),
      fix: expect.stringContaining('HOLDPOINT_ENCRYPTION_KEYS'),
    })
    await store.replaceAccessToken(id, new Secret('fresh'))
    expect((await store.accessToken(id))?.reveal()).toBe('fresh')
  })
})

describe('the check-up', () => {
  test('changes nothing where there are no tables yet, and says how they come', async () => {
    const url = await newDatabase()
    expect(await opened(url).check()).toMatchObject([
      { level: 'warning', message: expect.stringContaining('no tables'), fix: expect.any(String) },
    ])
    expect(await everyRow(url)).toEqual([])
  })

  test('counts the installations, and says that their tokens open', async () => {
    const url = await newDatabase()
    const { store } = await filled(url)
    expect(await store.check()).toEqual([
      {
        subject: 'Installation store',
        level: 'ok',
        message: 'it answers, and knows 1 installations',
      },
      {
        subject: 'Installation tokens',
        level: 'ok',
        message: 'all open with the current key',
      },
    ])
  })

  test('warns of an older key that is still needed, and of a schema that is behind', async () => {
    const url = await newDatabase()
    await filled(url)
    const rotated = opened(url, { keys: [newer, older] })
    expect(await rotated.check()).toMatchObject([
      { level: 'ok' },
      { level: 'warning', message: expect.stringContaining('2026-01'), fix: expect.any(String) },
    ])
    await sql(url, 'DELETE FROM holdpoint.migrations')
    expect(await rotated.check()).toMatchObject([
      { level: 'warning', message: expect.stringContaining('0001_installations') },
    ])
  })
})

describe('what cannot be used is told with a way out, and no password', () => {
  const refusalOf = async (action: () => unknown): Promise<ActionFailure> => {
    try {
      await action()
    } catch (error) {
      if (error instanceof ActionFailure) return error
      throw error
    }
    throw new Error('It was taken.')
  }

  test('no key', async () => {
    const refusal = await refusalOf(() => postgresStore({ url: sharedUrl, keys: [] }))
    expect(refusal).toMatchObject({ code: 'encryption_key_missing', retryable: false })
  })

  test.each(['mysql://me:hunter2@db', 'postgres://me:hunter2@[db', 'hunter2'])(
    'the URL %s',
    async (url) => {
      const refusal = await refusalOf(() => postgresStore({ url, keys: [older] }))
      expect(refusal).toMatchObject({ code: 'store_url_invalid', retryable: false })
      expect(refusal.message).toContain('HOLDPOINT_DATABASE_URL')
      expect(inspect(refusal, { depth: 9, showHidden: true })).not.toContain('hunter2')
    },
  )

  test('a server that is not there', async () => {
    const { host } = new URL(await deadUrl())
    const store = opened(`postgres://me:hunter2@${host}/app`)
    const actions = [
      () => store.prepare(),
      () => store.putInstallation(installationOf(), new Secret(TOKEN)),
      () => store.acceptTransferRequest('claim', 'icfg_1', 0),
    ]
    for (const action of actions) {
      const refusal = await refusalOf(action)
      expect(refusal).toMatchObject({ code: 'store_unreachable', retryable: true })
      expect(inspect(refusal, { depth: 9, showHidden: true })).not.toMatch(/hunter2|token-that/)
    }
    expect(await store.check()).toMatchObject([
      { level: 'error', fix: expect.stringContaining('HOLDPOINT_DATABASE_URL') },
    ])
  })

  test('a login that is refused', async () => {
    const login = new URL(sharedUrl)
    login.password = 'hunter2'
    expect(await refusalOf(() => opened(login.href).prepare())).toMatchObject({
      code: 'store_refused_login',
      retryable: true,
    })
    const missing = onDatabase(sharedUrl, newName())
    expect(await refusalOf(() => opened(missing).prepare())).toMatchObject({
      code: 'store_refused_login',
    })
  })

  test('tables that are not there yet', async () => {
    const store = opened(await newDatabase())
    expect(await refusalOf(() => store.listInstallations())).toMatchObject({
      code: 'store_not_prepared',
      retryable: true,
    })
  })

  test('a text with a character that Postgres cannot store', async () => {
    const store = await prepared(sharedUrl)
    const installation = installationOf({ billingPlanId: 'a\0b' })
    expect(await refusalOf(() => store.putInstallation(installation, undefined))).toMatchObject({
      code: 'value_unstorable',
      retryable: false,
    })
  })
})

test('a transfer whose connection breaks, wherever that is, moved everything or nothing, and may be tried again', async () => {
  const url = await newDatabase()
  const { store: direct } = await filled(url)
  const proxy = await startPostgresProxy(url)
  onTestFinished(() => proxy.close())
  const endings = new Set<string>()
  let broke = true
  for (let nth = 1; broke; nth++) {
    for (const side of ['before', 'after'] as const) {
      const [from, to] = [installationOf(), installationOf()]
      for (const each of [from, to]) await direct.putInstallation(each, undefined)
      const resources = [resourceOf(from.id), resourceOf(from.id)]
      for (const each of resources) await direct.putResource(each)
      const claimId = newName()
      await direct.putTransferRequest({
        claimId,
        fromInstallationId: from.id,
        resourceIds: resources.map(({ id }) => id),
        expiresAtMs: Date.now() + 60_000,
      })
      const store = opened(proxy.url)
      proxy.cut({ nth, side })
      const ending = await store.acceptTransferRequest(claimId, to.id, Date.now()).then(
        () => 'accepted',
        (error: unknown) => error,
      )
      broke = proxy.hasCut()
      if (broke) expect(ending).toMatchObject({ code: 'store_unreachable', retryable: true })
      else expect(ending).toBe('accepted')
      const moved = (await direct.listResources(to.id)).length
      expect([0, resources.length]).toContain(moved)
      endings.add(`${broke ? 'lost' : 'heard'}, ${moved === 0 ? 'nothing' : 'everything'} moved`)
      expect(await direct.acceptTransferRequest(claimId, to.id, Date.now())).toBe(true)
      expect(await direct.listResources(to.id)).toHaveLength(resources.length)
    }
  }
  expect([...endings].sort()).toEqual([
    'heard, everything moved',
    'lost, everything moved',
    'lost, nothing moved',
  ])
})

test('connections that the server ends are replaced', async () => {
  const url = await newDatabase()
  const { store, id } = await filled(url)
  await sql(
    embeddedServerUrl(),
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
    [new URL(url).pathname.slice(1)],
  )
  await vi.waitFor(async () => expect((await store.accessToken(id))?.reveal()).toBe(TOKEN))
})
