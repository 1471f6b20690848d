import { describe, expect, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { TokenSurroundings } from '../../src/installations/access-token.ts'
import { fromEnvironment } from '../../src/installations/from-environment.ts'
import { fromFunction } from '../../src/installations/from-function.ts'
import { fromStore } from '../../src/installations/from-store.ts'
import { memoryStore } from '../../src/installations/memory-store.ts'
import { type LogFields, silentLog } from '../../src/log.ts'
import { installationOf, TOKEN } from './contract.ts'

const given = (changes: Partial<TokenSurroundings> = {}): TokenSurroundings => ({
  environmentToken: undefined,
  store: undefined,
  log: silentLog,
  ...changes,
})

/** The failure for an installation without a token. */
const unknown = (installationId: string) => ({
  code: 'access_token_unknown',
  retryable: false,
  message: expect.stringContaining(installationId),
})

describe('the environment', () => {
  test('gives its token to every installation', async () => {
    const accessToken = fromEnvironment().open(given({ environmentToken: TOKEN }))
    expect(await accessToken('icfg_1')).toBe(TOKEN)
    expect(await accessToken('icfg_2', TOKEN)).toBe(TOKEN)
  })

  test('that has none says so, with the variable to set', async () => {
    await expect(fromEnvironment().open(given())('icfg_1')).rejects.toMatchObject(unknown('icfg_1'))
    const source = fromEnvironment()
    expect(source.lacks({ environmentToken: false, store: true })).toMatch(/^VERCEL_ACCESS_TOKEN: /)
    expect(source.lacks({ environmentToken: true, store: false })).toBeUndefined()
  })
})

describe('the installation store', () => {
  test('gives each installation its own token, and a replaced one at once', async () => {
    const store = memoryStore()
    const [one, two] = [installationOf(), installationOf()]
    await store.putInstallation(one, new Secret('token-1'))
    await store.putInstallation(two, new Secret('token-2'))
    const accessToken = fromStore().open(given({ store, environmentToken: TOKEN }))
    expect(await accessToken(one.id)).toBe('token-1')
    expect(await accessToken(two.id)).toBe('token-2')
    await store.replaceAccessToken(one.id, new Secret('token-3'))
    expect(await accessToken(one.id)).toBe('token-3')
  })

  test('leaves those it has no token of to the environment, and names them where there is none', async () => {
    const store = memoryStore()
    const { id } = installationOf()
    const source = fromStore()
    expect(await source.open(given({ store, environmentToken: TOKEN }))(id)).toBe(TOKEN)
    await expect(source.open(given({ store }))(id)).rejects.toMatchObject(unknown(id))
  })

  test('that cannot be read is not replaced by the environment', async () => {
    const failure = new ActionFailure('store_unreachable', 'Away.', { retryable: true })
    const store = { accessToken: () => Promise.reject(failure) }
    const accessToken = fromStore().open(given({ store, environmentToken: TOKEN }))
    await expect(accessToken('icfg_1')).rejects.toBe(failure)
  })

  test('that is not there is asked for by its variable', () => {
    const source = fromStore()
    expect(source.lacks({ environmentToken: true, store: false })).toMatch(
      /^HOLDPOINT_DATABASE_URL: /,
    )
    expect(source.lacks({ environmentToken: false, store: true })).toBeUndefined()
  })
})

describe('a function of the configuration', () => {
  test('is asked for each call, with the installation', async () => {
    const asked: string[] = []
    const accessToken = fromFunction(
      async (installationId) => `token-${asked.push(installationId)}`,
    ).open(given())
    expect(await accessToken('icfg_1')).toBe('token-1')
    expect(await accessToken('icfg_1', 'token-1')).toBe('token-2')
    expect(asked).toEqual(['icfg_1', 'icfg_1'])
  })

  test.each([undefined, '', 'two words', 'line\n', 'größe', 7])(
    'that gives %j has none',
    async (value) => {
      const source = fromFunction(async () => value as string)
      await expect(source.open(given())('icfg_1')).rejects.toMatchObject(unknown('icfg_1'))
    },
  )

  test('may say itself what to do', async () => {
    const failure = new ActionFailure('vault_sealed', 'Open the vault.', { retryable: true })
    const source = fromFunction(() => Promise.reject(failure))
    await expect(source.open(given())('icfg_1')).rejects.toBe(failure)
  })

  test.each<[string, () => Promise<string>]>([
    ['rejects', () => Promise.reject(new Error('hunter2'))],
    [
      'throws',
      () => {
        throw new Error('hunter2')
      },
    ],
  ])('that %s is tried again; its words are for the log alone', async (_, broken) => {
    const logged: [string, LogFields | undefined][] = []
    const log = {
      ...silentLog,
      error: (event: string, fields?: LogFields) => logged.push([event, fields]),
    }
    const failure: unknown = await fromFunction(broken)
      .open(given({ log }))('icfg_1')
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'access_token_unavailable', retryable: true })
    expect((failure as Error).message).toContain('icfg_1')
    expect((failure as Error).message).not.toContain('hunter2')
    expect(logged).toEqual([
      [
        'access_token.function_failed',
        { installationId: 'icfg_1', error: expect.objectContaining({ message: 'hunter2' }) },
      ],
    ])
  })
})
