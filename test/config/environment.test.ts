import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InvalidEnvironment, readEnvironment } from '../../src/config/environment.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdpoint-home-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

/** Reads these variables and none of the machine's; without a profile of Temporal's in the home directory. */
const read = (variables: Record<string, string> = {}) =>
  readEnvironment({ HOME: home, XDG_CONFIG_HOME: home, APPDATA: home, ...variables })

function refusalOf(variables: Record<string, string>): string {
  try {
    read(variables)
  } catch (error) {
    if (error instanceof InvalidEnvironment) return error.message
    throw error
  }
  throw new Error('The environment was taken.')
}

const DEFAULTS = {
  port: 3000,
  host: '0.0.0.0',
  vercelApiUrl: 'https://api.vercel.com',
  marketplaceUrl: 'https://marketplace.vercel.com',
  clientId: undefined,
  clientSecrets: [],
  accessToken: undefined,
  postgresUrl: undefined,
  databaseUrl: undefined,
  encryptionKeys: [],
  reportRunningAfterMs: 0,
  temporal: undefined,
  temporalNamespace: 'default',
  updatesPerMinute: 100,
  workerVersion: undefined,
  temporalCliPath: undefined,
  searchPath: '',
  xdgCacheHome: undefined,
}
const VARIABLES = [
  'PORT',
  'HOST',
  'VERCEL_API_URL',
  'VERCEL_MARKETPLACE_URL',
  'INTEGRATION_CLIENT_SECRET',
  'VERCEL_ACCESS_TOKEN',
  'POSTGRES_URL',
  'HOLDPOINT_DATABASE_URL',
  'HOLDPOINT_ENCRYPTION_KEYS',
  'HOLDPOINT_REPORT_RUNNING_AFTER',
  'HOLDPOINT_UPDATES_PER_MINUTE',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'TEMPORAL_CLI_PATH',
  'PATH',
  'XDG_CACHE_HOME',
]

test('nothing need be set', () => {
  expect(read()).toEqual(DEFAULTS)
})

test('a variable that is empty is one that is not set', () => {
  expect(read(Object.fromEntries(VARIABLES.map((name) => [name, ''])))).toEqual(DEFAULTS)
})

test('what is set is read', () => {
  const environment = read({
    PORT: '8080',
    HOST: '::1',
    VERCEL_API_URL: 'https://vercel.com/api',
    VERCEL_MARKETPLACE_URL: 'http://127.0.0.1:4000/',
    INTEGRATION_CLIENT_SECRET: 'one',
    VERCEL_ACCESS_TOKEN: 'token',
    POSTGRES_URL: 'postgresql://me@db/app',
    HOLDPOINT_DATABASE_URL: 'postgres://me@db/holdpoint',
    TEMPORAL_CLI_PATH: '/bin/temporal',
    PATH: '/bin',
    XDG_CACHE_HOME: '/cache',
  })
  expect(environment).toEqual({
    ...DEFAULTS,
    port: 8080,
    host: '::1',
    vercelApiUrl: 'https://vercel.com/api',
    marketplaceUrl: 'http://127.0.0.1:4000',
    clientSecrets: ['one'],
    accessToken: 'token',
    postgresUrl: 'postgresql://me@db/app',
    databaseUrl: 'postgres://me@db/holdpoint',
    temporalCliPath: '/bin/temporal',
    searchPath: '/bin',
    xdgCacheHome: '/cache',
  })
})

test('two client secrets are kept apart, in their order, while one is being rotated', () => {
  expect(read({ INTEGRATION_CLIENT_SECRET: ' new , old,' }).clientSecrets).toEqual(['new', 'old'])
})

test('a token read from a file may end with a line break', () => {
  expect(read({ VERCEL_ACCESS_TOKEN: 'token\n' }).accessToken).toBe('token')
})

describe('a bad variable is named with what it must be, and its value never shown', () => {
  test.each([
    ['PORT', 'hunter2'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['VERCEL_API_URL', 'hunter2'],
    ['VERCEL_API_URL', 'ftp://hunter2'],
    ['VERCEL_MARKETPLACE_URL', 'hunter2'],
    ['VERCEL_ACCESS_TOKEN', 'hunter2 hunter2'],
    ['VERCEL_ACCESS_TOKEN', 'hunter2\nhunter2'],
    ['POSTGRES_URL', 'mysql://me:hunter2@db'],
    ['HOLDPOINT_DATABASE_URL', 'mysql://me:hunter2@db'],
    ['HOLDPOINT_ENCRYPTION_KEYS', 'hunter2'],
    ['HOLDPOINT_ENCRYPTION_KEYS', `a:${'00'.repeat(31)}`],
    ['HOLDPOINT_ENCRYPTION_KEYS', `a:${randomBytes(33).toString('base64')}`],
    ['HOLDPOINT_ENCRYPTION_KEYS', `${'00'.repeat(32)},hunter2`],
    ['HOLDPOINT_ENCRYPTION_KEYS', `a:${'00'.repeat(32)},a:${'11'.repeat(32)}`],
    ['HOLDPOINT_REPORT_RUNNING_AFTER', 'hunter2'],
    ['HOLDPOINT_REPORT_RUNNING_AFTER', '-5 s'],
    ['HOLDPOINT_UPDATES_PER_MINUTE', 'hunter2'],
    ['HOLDPOINT_UPDATES_PER_MINUTE', '0'],
  ])('%s=%s', (name, value) => {
    const message = refusalOf({ [name]: value })
    expect(message).toMatch(new RegExp(`^  ${name}: .{10,}`, 'm'))
    expect(message).toContain('so nothing was started')
    for (const part of value.split(/[:,\s]/).filter((text) => text.length > 6)) {
      expect(message).not.toContain(part)
    }
  })

  test('all of them in one message', () => {
    const message = refusalOf({ PORT: 'x', POSTGRES_URL: 'x', HOLDPOINT_REPORT_RUNNING_AFTER: 'x' })
    expect(message.match(/^ {2}[A-Z_]+: /gm)).toHaveLength(3)
  })
})

describe('the version of the worker', () => {
  test('is told by the two variables that Temporal’s controller for Kubernetes sets', () => {
    expect(
      read({ TEMPORAL_DEPLOYMENT_NAME: 'holdpoint', TEMPORAL_WORKER_BUILD_ID: '7f3a' })
        .workerVersion,
    ).toEqual({ deploymentName: 'holdpoint', buildId: '7f3a' })
  })

  test.each([
    ['TEMPORAL_DEPLOYMENT_NAME', 'the build id is missing'],
    ['TEMPORAL_WORKER_BUILD_ID', 'the name is missing'],
  ])('is not guessed when %s stands alone', (name, problem) => {
    expect(refusalOf({ [name]: 'x' })).toContain(problem)
  })
})

describe('an encryption key is read', () => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7))
  const bytesOf = (text: string) =>
    read({ HOLDPOINT_ENCRYPTION_KEYS: text }).encryptionKeys.map(({ id, bytes }) => [
      id,
      Buffer.from(bytes).toString('hex'),
    ])

  test.each(['hex', 'base64', 'base64url'] as const)('from %s', (encoding) => {
    expect(bytesOf(`2026-08:${key.toString(encoding)}`)).toEqual([['2026-08', key.toString('hex')]])
  })

  test('without an id, which is then the same on every machine', () => {
    const [[id] = []] = bytesOf(key.toString('hex'))
    expect(id).toMatch(/^[0-9a-f]{8}$/)
    expect(bytesOf(key.toString('base64'))).toEqual([[id, key.toString('hex')]])
    expect(key.toString('hex')).not.toContain(id)
  })

  test('with others, the current one first', () => {
    const other = Buffer.alloc(32, 9)
    expect(bytesOf(`new:${key.toString('hex')}, old:${other.toString('base64')}`)).toEqual([
      ['new', key.toString('hex')],
      ['old', other.toString('hex')],
    ])
  })
})

test.each([
  ['0', 0],
  ['5 seconds', 5000],
  ['250', 250],
  ['never', null],
])('HOLDPOINT_REPORT_RUNNING_AFTER may be %s', (text, expected) => {
  expect(read({ HOLDPOINT_REPORT_RUNNING_AFTER: text }).reportRunningAfterMs).toBe(expected)
})

describe('Temporal is found', () => {
  test('at TEMPORAL_ADDRESS, in TEMPORAL_NAMESPACE, with TEMPORAL_API_KEY', () => {
    const environment = read({
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_NAMESPACE: 'mine',
      TEMPORAL_API_KEY: 'key',
    })
    expect(environment.temporalNamespace).toBe('mine')
    expect(environment.temporal?.connectionOptions).toMatchObject({
      address: 'temporal.example:7233',
      apiKey: 'key',
    })
  })

  test('where the profile of a file says', async () => {
    const file = join(home, 'mine.toml')
    await writeFile(file, '[profile.prod]\naddress = "profile.example:7233"\nnamespace = "p"\n')
    const environment = read({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' })
    expect(environment.temporal?.connectionOptions.address).toBe('profile.example:7233')
    expect(environment.temporalNamespace).toBe('p')
  })

  test('nowhere without an address, whatever else is set: an embedded server is to be started', () => {
    const environment = read({ TEMPORAL_NAMESPACE: 'mine' })
    expect(environment.temporal).toBeUndefined()
    expect(environment.temporalNamespace).toBe('mine')
  })

  test('not at all by settings that cannot be read, and the refusal shows no API key', async () => {
    const file = join(home, 'broken.toml')
    await writeFile(file, '[profile.default]\napi_key = "hunter2" "\n')
    expect(refusalOf({ TEMPORAL_CONFIG_FILE: file })).toContain('TEMPORAL_')
    expect(refusalOf({ TEMPORAL_CONFIG_FILE: file })).not.toContain('hunter2')
    expect(refusalOf({ TEMPORAL_PROFILE: 'absent' })).toContain('absent')
    const certificate = { TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/no/such/file' }
    expect(refusalOf({ TEMPORAL_ADDRESS: 'x:1', ...certificate })).toContain('/no/such/file')
  })
})
