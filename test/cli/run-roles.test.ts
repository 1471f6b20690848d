import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandEnd, commandLine } from './run-command.ts'

const databaseUrl = 'postgres://me:hunter2@127.0.0.1:1/app'

let ends: Record<'unset' | 'keyless' | 'storeless' | 'homeless' | 'partnerless', CommandEnd>
const lines: Awaited<ReturnType<typeof commandLine>>[] = []

beforeAll(async () => {
  const line = async (accessToken: string) => {
    const made = await commandLine(`export default { actions: {}, ${accessToken} }`)
    lines.push(made)
    return made
  }
  const step = 'async () => {}'
  const product = `{ name: 'Database', provision: ${step}, secrets: ${step}, deprovision: ${step} }`
  const [byDefault, byStore, withProduct] = await Promise.all([
    line(''),
    line('accessToken: holdpoint.fromStore()'),
    line(`products: { database: ${product} }`),
  ])
  const complete = { VERCEL_ACCESS_TOKEN: 'hunter2', INTEGRATION_CLIENT_ID: 'oac_1' }
  const [unset, keyless, storeless, homeless, partnerless] = await Promise.all([
    byDefault.run(['start']),
    byDefault.run(['worker'], { HOLDPOINT_DATABASE_URL: databaseUrl }),
    byStore.run(['worker'], { VERCEL_ACCESS_TOKEN: 'hunter2', INTEGRATION_CLIENT_SECRET: 'x' }),
    withProduct.run(['server'], { ...complete, INTEGRATION_CLIENT_SECRET: 'x' }),
    withProduct.run(['server'], { VERCEL_ACCESS_TOKEN: 'hunter2' }),
  ])
  ends = { unset, keyless, storeless, homeless, partnerless }
})
afterAll(() => Promise.all(lines.map((line) => line.remove())))

/** The variables that a refusal asks for. */
function demanded({ code, stderr }: CommandEnd): string[] {
  expect(code).toBe(1)
  expect(stderr).toContain('so nothing was started. Set:')
  expect(stderr).not.toContain('hunter2')
  return [...stderr.matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name = '']) => name)
}

test('without any setting all that is missing is asked for at once, an access token too', () => {
  expect(demanded(ends.unset)).toEqual([
    'INTEGRATION_CLIENT_SECRET',
    'VERCEL_ACCESS_TOKEN',
    'HOLDPOINT_ENCRYPTION_KEYS',
  ])
})

test('with an installation store no access token is asked for, but the key that seals them', () => {
  const names = demanded(ends.keyless)
  expect(new Set(names)).toEqual(new Set(['HOLDPOINT_ENCRYPTION_KEYS']))
  expect(ends.keyless.stderr).toContain('seals access tokens')
})

test('tokens from a store that is not there are told, though the environment has one', () => {
  expect(demanded(ends.storeless)).toEqual(['HOLDPOINT_DATABASE_URL'])
})

test('products whose resources nobody would keep are told, where the partner API is on', () => {
  expect(demanded(ends.homeless)).toEqual(['HOLDPOINT_DATABASE_URL'])
  expect(ends.homeless.stderr).toContain('keeps the resources of products')
  expect(demanded(ends.partnerless)).toEqual(['INTEGRATION_CLIENT_SECRET'])
})
