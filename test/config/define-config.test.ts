import { describe, expect, test } from 'vitest'
import { type ConfigFile, defineConfig, InvalidConfig } from '../../src/config/define-config.ts'
import { fromStore } from '../../src/installations/from-store.ts'
import { silentLog } from '../../src/log.ts'

/** Checks what an operator may have written, whatever its type. */
const check = (file: unknown) => defineConfig(file as ConfigFile)

function refusalOf(file: unknown): string {
  try {
    check(file)
  } catch (error) {
    if (error instanceof InvalidConfig) return error.message
    throw error
  }
  throw new Error('The configuration was taken.')
}

test('what is left out has its default', () => {
  const config = check({ actions: { branch: { name: 'Branch' } } })
  expect(config.taskQueue).toBe('deployment-actions')
  expect([...config.actions]).toEqual([
    ['branch', { slug: 'branch', definition: { name: 'Branch' }, deadlineMs: 120_000 }],
  ])
  expect(check({ actions: {} }).actions.size).toBe(0)
})

test('what is written is kept', () => {
  const definition = { name: 'Branch', deadline: '90 seconds', suggest: ['preview'], extra: 1 }
  const config = check({ temporal: { taskQueue: 'mine' }, actions: { a_b: definition } })
  expect(config.taskQueue).toBe('mine')
  expect(config.actions.get('a_b')).toEqual({ slug: 'a_b', definition, deadlineMs: 90_000 })
})

describe('a policy', () => {
  const able = { name: 'Branch', list: () => [], evict: () => true }
  const of = (policy: unknown) =>
    check({ actions: { branch: { ...able, policy } } }).actions.get('branch')?.policy

  test('is none unless one is written, and has its defaults then', () => {
    expect(check({ actions: { branch: able } }).actions.get('branch')).not.toHaveProperty('policy')
    expect(of({})).toEqual({
      otherwise: 'skip',
      bots: 'allow',
      forks: 'allow',
      protectedBranches: ['main', 'master', 'production', 'prod'],
    })
  })

  test('is kept as it is written', () => {
    const written = {
      environments: ['preview'],
      gitBranches: { only: ['feature/**'], except: ['**-wip'] },
      otherwise: 'fail',
      bots: 'skip',
      forks: 'fail',
      protectedBranches: [],
    }
    const quota = { perResource: 10, perInstallation: 25 }
    expect(of({ ...written, quota, ttl: '7 days' })).toEqual({
      ...written,
      quota: { ...quota, whenFull: 'fail' },
      ttlMs: 7 * 86_400_000,
    })
    expect(of({ quota: { perResource: 1, whenFull: 'evict' } })?.quota).toEqual({
      perResource: 1,
      whenFull: 'evict',
    })
  })
})

test('the reconciliation is careful by default, can be told otherwise, and be switched off', () => {
  const of = (reconciliation?: unknown) => check({ actions: {}, reconciliation }).reconciliation
  const careful = { minAgeMs: 3_600_000, graceMs: 31 * 86_400_000, cap: 20 }
  expect(of()).toEqual({ everyMs: 900_000, ...careful })
  expect(of({})).toEqual({ everyMs: 900_000, ...careful })
  expect(of(false)).toEqual({ everyMs: undefined, ...careful })
  expect(of({ every: '1 hour', minAge: '0', grace: '2 days', cap: 5 })).toEqual({
    everyMs: 3_600_000,
    minAgeMs: 0,
    graceMs: 172_800_000,
    cap: 5,
  })
})

test('access tokens come from where it is written, which may be a function', async () => {
  expect(check({ actions: {} }).accessToken).toBeUndefined()
  const source = fromStore()
  expect(check({ actions: {}, accessToken: source }).accessToken).toBe(source)
  const { accessToken } = check({
    actions: {},
    accessToken: async (installationId: string) => `token-of-${installationId}`,
  })
  const given = { environmentToken: undefined, store: undefined, log: silentLog }
  expect(await accessToken?.open(given)('icfg_1')).toBe('token-of-icfg_1')
})

test.each([
  ['1 second', 1000],
  ['45 minutes', 2_700_000],
  ['1s', 1000],
  ['2000', 2000],
])('a deadline may be %s', (deadline, deadlineMs) => {
  const config = check({ actions: { branch: { name: 'Branch', deadline } } })
  expect(config.actions.get('branch')?.deadlineMs).toBe(deadlineMs)
})

describe('a field that is wrong is named, with what it must be', () => {
  const action = (fields: Record<string, unknown>) => ({
    actions: { branch: { name: 'Branch', ...fields } },
  })
  const deadline = "actions.branch.deadline: must be a duration from '1 second' to '45 minutes'"
  test.each([
    ['a deadline that is too short', action({ deadline: '999 ms' }), deadline],
    ['a deadline that is too long', action({ deadline: '46 minutes' }), deadline],
    ['a deadline that is none', action({ deadline: 'soon' }), deadline],
    ['a negative deadline', action({ deadline: '-2 minutes' }), deadline],
    ['an empty deadline', action({ deadline: '' }), deadline],
    ['a number as deadline', action({ deadline: 5000 }), 'actions.branch.deadline: '],
    ['a missing name', action({ name: undefined }), 'actions.branch.name: '],
    ['an empty name', action({ name: '' }), 'actions.branch.name: '],
    ['a name that no dashboard shows', action({ name: 'x'.repeat(101) }), 'actions.branch.name: '],
    ['a suggestion that is no list', action({ suggest: 'preview' }), 'actions.branch.suggest: '],
    ['an empty task queue', { temporal: { taskQueue: '' }, actions: {} }, 'temporal.taskQueue: '],
    ['an action that is none', { actions: { branch: null } }, 'actions.branch: '],
    ...Object.entries({
      'policy: Unrecognized key: "bot"': { bot: 'skip' },
      'policy.environments: must name at least one': { environments: [] },
      'policy.environments.0: ': { environments: [''] },
      'policy.gitBranches: must have only, except or both': { gitBranches: {} },
      'policy.gitBranches.only: ': { gitBranches: { only: 'main' } },
      'policy.gitBranches: Unrecognized key: "but"': { gitBranches: { only: ['a'], but: ['b'] } },
      'policy.otherwise: ': { otherwise: 'allow' },
      'policy.bots: ': { bots: true },
      'policy.forks: ': { forks: 'deny' },
      'policy.protectedBranches: ': { protectedBranches: 'main' },
      "policy.ttl: must be a duration of a second or more, such as '7 days'": { ttl: '999 ms' },
      'policy.ttl: must be a duration': { ttl: 'a week' },
      'policy.ttl: needs an action that can tell what it made': { ttl: '7 days' },
      'policy.quota: must have perResource, perInstallation or both': {
        quota: { whenFull: 'fail' },
      },
      'policy.quota.perResource: must be a whole number from 1 on': { quota: { perResource: 0 } },
      'policy.quota.whenFull: ': { quota: { perResource: 1, whenFull: 'wait' } },
      'policy.quota: needs an action that can tell what it made': { quota: { perResource: 1 } },
      'policy.quota: this action keeps nothing that could be evicted': {
        quota: { perResource: 1, whenFull: 'evict' },
      },
    }).map(([told, policy]): [string, unknown, string] => [
      `a policy: ${JSON.stringify(policy)}`,
      action({ policy }),
      `actions.branch.${told}`,
    ]),
    [
      'a reconciliation that never rests',
      { actions: {}, reconciliation: { every: '59 seconds' } },
      "reconciliation.every: must be a duration from '1 minute' to '1 day'",
    ],
    [
      'a grace that is none',
      { actions: {}, reconciliation: { grace: 'long' } },
      "reconciliation.grace: must be a duration such as '1 hour'",
    ],
    [
      'a cap that is none',
      { actions: {}, reconciliation: { cap: 1001 } },
      'reconciliation.cap: must be a whole number from 1 to 1000',
    ],
    [
      'a reconciliation that is switched on',
      { actions: {}, reconciliation: true },
      'reconciliation: ',
    ],
    [
      'a token that is written down',
      { actions: {}, accessToken: 'hunter2' },
      'accessToken: must be fromStore(), fromEnvironment(), fromEndpoint({ … }) or a function',
    ],
    ['no actions', {}, 'actions: '],
    ['no object at all', 5, 'configuration: '],
  ])('%s', (_, file, told) => {
    expect(refusalOf(file)).toContain(`\n  ${told}`)
  })

  test.each(['Branch', 'my action', '', '-a', 'a/b', 'a~b', 'ä', 'a'.repeat(64)])(
    'the slug %j',
    (slug) => {
      expect(refusalOf({ actions: { [slug]: { name: 'Branch' } } })).toContain(
        `actions.${slug}: must be 1 to 63 of a-z, 0-9, _ and -`,
      )
    },
  )

  test('all of them in one message', () => {
    const message = refusalOf({
      actions: { a: {}, b: { name: 'B', deadline: 'x' }, C: { name: 'C' } },
    })
    for (const field of ['actions.a.name', 'actions.b.deadline', 'actions.C']) {
      expect(message).toContain(`\n  ${field}: `)
    }
    expect(message).toContain('so nothing was started. Correct in temporal.config.ts')
  })
})
