import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { command } from '../../src/actions/command.ts'
import { sqlFiles } from '../../src/actions/sql-files.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { BranchConnection } from '../../src/drivers/driver.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { newBranch, newSource, sql, workOn } from '../drivers/postgres-under-test.ts'
import { actionCall } from './action-call.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

// On a real branch of the Postgres of the test run, with the rights of its role.

const server = ownPostgresUrl()
const driver = postgres({ server })
let branch: BranchConnection
let directory: string

afterAll(() => driver.close())
beforeEach(async () => {
  const source = await newSource(server, `CREATE TABLE old AS SELECT 1 AS one`)
  const ref = newBranch(server, source)
  await driver.createBranch({ source, ref }, driverCall())
  branch = await driver.openBranch(ref, driverCall())
  directory = await mkdtemp(join(tmpdir(), 'holdpoint-migrate-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
})

const files = async (texts: Record<string, string>) => {
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, name), text)
}
const rows = (text: string) => sql(branch.url.reveal(), text)
const ledger = () => rows('SELECT name FROM holdpoint.migrations ORDER BY applied_at, name')

describe('the SQL files of a directory', () => {
  test('are applied in the order of their names, and the next time only what is new', async () => {
    await files({
      '010_b.sql': `INSERT INTO log SELECT count(*) FROM log`,
      '002_a.sql': `-- größer\nCREATE TABLE log (n bigint); INSERT INTO log VALUES (7);`,
      'README.md': 'no SQL',
    })
    const { call, told } = actionCall()
    await sqlFiles(directory)(branch, call)
    expect(told).toEqual(['Migration 002_a.sql (1 of 2)', 'Migration 010_b.sql (2 of 2)'])
    expect(await rows('SELECT n::int FROM log')).toEqual([{ n: 7 }, { n: 1 }])
    await files({ '009_late.sql': `INSERT INTO log VALUES (9)` })
    await sqlFiles(directory)(branch, call)
    await sqlFiles(directory)(branch, call)
    expect(await rows('SELECT n::int FROM log')).toEqual([{ n: 7 }, { n: 1 }, { n: 9 }])
    expect(await ledger()).toEqual(
      ['002_a.sql', '010_b.sql', '009_late.sql'].map((name) => ({ name })),
    )
  })

  test('are applied once when two calls meet', async () => {
    await files({
      '1.sql': `CREATE TABLE log (n int); SELECT pg_sleep(0.2)`,
      '2.sql': `INSERT INTO log VALUES (1)`,
    })
    const migrate = sqlFiles(directory)
    await Promise.all([1, 2, 3].map(() => migrate(branch, actionCall().call)))
    expect(await rows('SELECT n FROM log')).toEqual([{ n: 1 }])
  })

  test('each begin as a fresh login, whatever the one before has set', async () => {
    await files({
      '1.sql': `CREATE SCHEMA other; SET search_path TO other; SET statement_timeout = '1ms'`,
      '2.sql': `SELECT pg_sleep(0.05); CREATE TABLE here (n int)`,
    })
    await sqlFiles(directory)(branch, actionCall().call)
    expect(await rows(`SELECT schemaname FROM pg_tables WHERE tablename = 'here'`)).toEqual([
      { schemaname: 'public' },
    ])
  })

  test('fail for good once one was changed after it had been applied, and nothing new is applied after it', async () => {
    await files({ '1.sql': 'CREATE TABLE one ()' })
    await sqlFiles(directory)(branch, actionCall().call)
    await files({ '1.sql': 'CREATE TABLE one (n int)', '2.sql': 'CREATE TABLE two ()' })
    await expect(sqlFiles(directory)(branch, actionCall().call)).rejects.toMatchObject({
      code: 'migration_failed',
      retryable: false,
      message: expect.stringMatching(/1\.sql was changed .* deploy again/),
    })
    expect(await ledger()).toEqual([{ name: '1.sql' }])
  })

  test('name the file, the place and what the server said when a statement fails, and undo that file', async () => {
    await files({
      '1.sql': 'CREATE TABLE one ()',
      '2.sql': `CREATE TABLE two ();\n-- 🌱\n  SELECT * FROM three;`,
    })
    const failure = sqlFiles(directory)(branch, actionCall().call)
    await expect(failure).rejects.toMatchObject({
      code: 'migration_failed',
      retryable: false,
      message:
        'The migration 2.sql failed at line 3, column 17 (42P01: relation "three" does not exist), so the branch has not the schema that the build needs. Correct the file and deploy again.',
    })
    expect(await ledger()).toEqual([{ name: '1.sql' }])
    expect(await rows(`SELECT FROM pg_tables WHERE tablename = 'two'`)).toEqual([])
  })

  test('tell no secret that the server repeats', async () => {
    const password = branch.password.reveal()
    await files({ '1.sql': `DO $$ BEGIN RAISE 'no: %', $secret$${password}$secret$; END $$` })
    const error = await sqlFiles(directory)(branch, actionCall().call).catch((e: unknown) => e)
    expect(String(error)).toContain('P0001: no: [redacted]')
    expect(JSON.stringify(error)).not.toContain(password)
    expect(error).toMatchObject({ cause: undefined })
  })

  test('are tried again after the connection broke, and then go on', async () => {
    await files({
      '1.sql': 'CREATE TABLE one ()',
      '2.sql': `CREATE TABLE two (); SELECT pg_terminate_backend(pg_backend_pid())
                  WHERE NOT EXISTS (SELECT FROM pg_tables WHERE tablename = 'mended')`,
    })
    await expect(sqlFiles(directory)(branch, actionCall().call)).rejects.toMatchObject({
      code: 'migration_failed',
      retryable: true,
      message: expect.stringMatching(/2\.sql was interrupted .* tried again/),
    })
    await rows('CREATE TABLE mended ()')
    await sqlFiles(directory)(branch, actionCall().call)
    expect(await ledger()).toEqual([{ name: '1.sql' }, { name: '2.sql' }])
  })

  test('end at the server when the call aborts, and that file is undone', async () => {
    const marker = randomUUID()
    await files({ '1.sql': `CREATE TABLE one (); SELECT pg_sleep(60) -- ${marker}` })
    const { call, abort } = actionCall()
    const migrating = sqlFiles(directory)(branch, call)
    await expect.poll(() => workOn(server, marker)).toHaveLength(1)
    abort()
    await expect(migrating).rejects.toThrow('aborted by the test')
    expect(await workOn(server, marker)).toEqual([])
    expect(await ledger()).toEqual([])
    expect(await rows(`SELECT FROM pg_tables WHERE tablename = 'one'`)).toEqual([])
  })

  test('that end their transaction themselves are refused', async () => {
    await files({ '1.sql': 'BEGIN; CREATE TABLE one (); COMMIT;' })
    await expect(sqlFiles(directory)(branch, actionCall().call)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(/1\.sql ends its transaction itself .* Remove that/),
    })
    expect(await ledger()).toEqual([])
  })

  test('may begin after those that the resource has already, with the ledger elsewhere', async () => {
    await files({
      '1.sql': 'CREATE TABLE old ()',
      '2.sql': 'ALTER TABLE old ADD two int',
      '0.sql': '',
    })
    await sqlFiles(directory, { after: '1.sql', schema: 'my "own"' })(branch, actionCall().call)
    expect(await rows('SELECT name FROM "my ""own""".migrations')).toEqual([{ name: '2.sql' }])
  })

  test('that cannot be read are named', async () => {
    const migrating = (path: string) => sqlFiles(path)(branch, actionCall().call)
    await expect(migrating(join(directory, 'none'))).rejects.toMatchObject({
      code: 'migration_failed',
      retryable: false,
      message: expect.stringMatching(/none cannot be read \(ENOENT\).*temporal\.config\.ts/),
    })
    await migrating(directory)
    await writeFile(join(directory, '1.sql'), Buffer.from([0x2d, 0x2d, 0xff]))
    await expect(migrating(directory)).rejects.toThrow('1.sql is not UTF-8')
  })
})

describe('a command', () => {
  const node = (script: string, options?: Parameters<typeof command>[2]) =>
    command(process.execPath, ['-e', script], options)

  test('runs on the branch, in its directory, with what any program needs and nothing else of ours', async () => {
    process.env['INTEGRATION_CLIENT_SECRET'] ??= 'ours'
    const pg = fileURLToPath(import.meta.resolve('pg'))
    await node(
      `const { Client } = (await import(${JSON.stringify(pg)})).default
       const branch = new Client(process.env.DATABASE_URL)
       await branch.connect()
       await branch.query('CREATE TABLE made ()')
       await branch.end()
       const again = new Client()
       await again.connect()
       await again.query('INSERT INTO made DEFAULT VALUES')
       await again.end()
       require('node:fs').writeFileSync('env.json', JSON.stringify(process.env))`.replace(
        /^/,
        '(async () => {',
      ) + '})()',
      { cwd: directory, env: ({ database }) => ({ SHADOW: new Secret(`shadow of ${database}`) }) },
    )(branch, actionCall().call)
    expect(await rows('SELECT FROM made')).toHaveLength(1)
    const env = JSON.parse(await readFile(join(directory, 'env.json'), 'utf8'))
    expect(env).toMatchObject({
      PATH: process.env['PATH'],
      PGDATABASE: branch.database,
      SHADOW: `shadow of ${branch.database}`,
    })
    const known =
      /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|NODE_ENV|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|DATABASE_URL|PG[A-Z]+|SHADOW)$/
    expect(Object.keys(env).filter((name) => !known.test(name))).toEqual([])
  })

  test('that exits with anything but 0 fails for good, with the last whole lines it printed', async () => {
    const failing = node(
      `for (let i = 0; i < 300_000; i += 1) process.stdout.write('line ' + i + '\\n')
       process.stdout.write('\\x1b[31mError: P3018\\x1b[0m\\r\\n\\nat 001_init')
       process.exitCode = 3`,
    )
    const error = await failing(branch, actionCall().call).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'migration_failed', retryable: false })
    const { message } = error as Error
    expect(message).toMatch(
      /failed with exit code 3, so .* deploy again\. It ended with:\nline \d+\n/,
    )
    expect(message).toMatch(/line 299999\nError: P3018\nat 001_init$/)
    const tail = message.split('It ended with:\n')[1] ?? ''
    expect(tail.length).toBeLessThanOrEqual(1000)
    expect(tail.length).toBeGreaterThan(900)
  })

  test('has no secret of the branch in what is told of it, however it is written', async () => {
    const own = new Secret('a secret of its own, quite long')
    const failing = node(
      `const { DATABASE_URL: url, PGPASSWORD: password, PGUSER: user, OWN: own } = process.env
       const base64 = (text) => Buffer.from(text).toString('base64')
       const said = [url, password, encodeURIComponent(password), encodeURIComponent(url),
         encodeURIComponent(password).replaceAll(/%../g, (escape) => escape.toLowerCase()),
         base64(password), base64(url), base64(user + ':' + password), base64('x' + password),
         Buffer.from('xy' + password).toString('base64url'), JSON.stringify({ password }), own,
         password.slice(3, 20), password.slice(-14), url.slice(0, url.indexOf(encodeURIComponent(password)) + 9)]
       for (const text of said) console.log('<' + text + '>')
       console.log('can reach ' + user)
       process.exit(1)`,
      { env: () => ({ OWN: own }) },
    )
    const error = await failing(branch, actionCall().call).catch((e: unknown) => e)
    const said = String(error).split('It ended with:\n')[1] ?? ''
    expect(said).toContain(`can reach ${branch.user}`)
    expect(said.split('\n')).toHaveLength(16)
    const password = branch.password.reveal()
    /** The base64 of a longer text, from the first character that depends on the password alone. */
    const base64 = (before: string, form: 'base64' | 'base64url' = 'base64') =>
      Buffer.from(before + password)
        .toString(form)
        .slice(Math.ceil((before.length * 8) / 6))
        .replace(/.=*$/, '')
    for (const secret of [
      password,
      encodeURIComponent(password),
      encodeURIComponent(password).replaceAll(/%../g, (escape) => escape.toLowerCase()),
      own.reveal(),
      base64(''),
      base64(`${branch.user}:`),
      base64('x'),
      base64('xy', 'base64url'),
    ])
      for (let at = 0; at + 12 <= secret.length; at += 1)
        expect(said).not.toContain(secret.slice(at, at + 12))
    expect(said).not.toContain(encodeURIComponent(password).slice(0, 9))
  })

  test('tells its last line now and then', async () => {
    const { call, told } = actionCall()
    await node(
      `console.log('Applying 1'); console.log('with ' + process.env.PGPASSWORD)
       process.stdout.write('half a li'); setTimeout(() => {}, 1500)`,
    )(branch, call)
    expect(told).toHaveLength(2)
    expect(told[1]).toBe('with [redacted]')
  })

  test('that is not there is named, as is a directory that is not there', async () => {
    const { call } = actionCall()
    await expect(command('no-such-program', ['up'])(branch, call)).rejects.toMatchObject({
      code: 'migration_failed',
      retryable: false,
      message: expect.stringMatching(
        /`no-such-program up` could not be started because it is not there.*ENOENT.*install/,
      ),
    })
    const cwd = join(directory, 'none')
    await expect(node('0', { cwd })(branch, call)).rejects.toThrow(`the directory ${cwd} is not`)
    await mkdir(join(directory, 'program'))
    await expect(command(join(directory, 'program'))(branch, call)).rejects.toThrow('EACCES')
  })

  test('that somebody killed is tried again', async () => {
    const killed = node(`process.kill(process.pid, 'SIGKILL')`)
    await expect(killed(branch, actionCall().call)).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('SIGKILL'),
    })
  })

  /** A program that starts another one, both of which write their process id and wait; `deaf` ones ignore SIGTERM. */
  const family = ({ deaf }: { deaf: boolean }) => {
    const wait = `${deaf ? `process.on('SIGTERM', () => {});` : ''}setInterval(() => {}, 1000);`
    return `const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', ${JSON.stringify(`${wait}console.log('up')`)}], { stdio: ['ignore', 'pipe', 'inherit'] })
      child.stdout.once('data', () => require('node:fs').writeFileSync('pids', process.pid + ' ' + child.pid))
      ${wait}`
  }
  const pids = async () => {
    const text = await readFile(join(directory, 'pids'), 'utf8').catch(() => '')
    return text === '' ? [] : text.split(' ').map(Number)
  }
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  test.each([false, true])(
    'ends with all that it started when the call aborts (deaf to SIGTERM: %s)',
    async (deaf) => {
      const { call, abort } = actionCall()
      const running = node(family({ deaf }), { cwd: directory, killAfterMs: deaf ? 200 : 20_000 })
      const ended = running(branch, call)
      await expect.poll(pids).toHaveLength(2)
      const started = await pids()
      expect(started.map(isAlive)).toEqual([true, true])
      abort()
      await expect(ended).rejects.toThrow('aborted by the test')
      await expect.poll(() => started.map(isAlive)).toEqual([false, false])
    },
  )

  test('leaves nothing in the background when it ends by itself', async () => {
    await node(
      `${family({ deaf: true })}
      child.stdout.once('data', () => process.exit(0))`,
      { cwd: directory },
    )(branch, actionCall().call)
    const started = await pids()
    expect(started).toHaveLength(2)
    await expect.poll(() => started.map(isAlive)).toEqual([false, false])
  })

  test('is not started for a call that was aborted before', async () => {
    const { call, abort } = actionCall()
    abort()
    const running = node(`require('node:fs').writeFileSync('pids', '1 2')`, { cwd: directory })
    await expect(running(branch, call)).rejects.toThrow('aborted by the test')
    expect(await pids()).toEqual([])
  })
})
