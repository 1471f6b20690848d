import { describe, expect, test } from 'vitest'
import { checkSlugs } from '../../src/config/checks.ts'
import { type ConfigFile, defineConfig } from '../../src/config/define-config.ts'
import { driversOf } from '../../src/config/drivers-of.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'

const run = () => Promise.resolve({ conclusion: 'succeeded' as const })
const actions = { branch: { name: 'Branch' } }
const check = (checks: unknown) => defineConfig({ actions, checks } as ConfigFile)
const declared = (fields: object = {}) =>
  check({ smoke: { name: 'Smoke', run, ...fields } }).checks.get('smoke')

test('without checks there are none', () => {
  expect(defineConfig({ actions }).checks.size).toBe(0)
})

test('what is left out has its default, and Vercel’s own is left to Vercel', () => {
  expect(declared()).toEqual({
    slug: 'smoke',
    api: 'v2',
    definition: { name: 'Smoke', run },
    declaration: { name: 'Smoke', requires: 'deployment-url' },
    deadlineMs: 270_000,
  })
})

test('what is written is kept', () => {
  const fields = {
    requires: 'build-ready',
    blocks: 'deployment-alias',
    targets: ['preview', 'production'],
    isRerequestable: true,
    after: 'branch',
  }
  const { after: _, ...told } = fields
  expect(declared({ ...fields, timeout: '2 minutes' })).toMatchObject({
    declaration: { name: 'Smoke', ...told, timeoutSeconds: 120 },
    deadlineMs: 90_000,
  })
  expect(declared({ deadline: '10 seconds' })).toMatchObject({ deadlineMs: 10_000 })
})

test('a check of v1 has what v1 has, with the default targets of v2', () => {
  expect(declared({ api: 'v1' })).toEqual({
    slug: 'smoke',
    api: 'v1',
    definition: { name: 'Smoke', run, api: 'v1' },
    declaration: { name: 'Smoke', blocking: true, targets: ['production'] },
    deadlineMs: 270_000,
  })
  const fields = { blocks: 'none', targets: ['preview'], isRerequestable: true }
  expect(declared({ api: 'v1', ...fields, deadline: '270 seconds' })).toMatchObject({
    declaration: { name: 'Smoke', blocking: false, targets: ['preview'], rerequestable: true },
    deadlineMs: 270_000,
  })
  expect(declared({ api: 'v1', blocks: 'deployment-start' })).toMatchObject({
    declaration: { blocking: true },
  })
})

test('the checks of each API are told apart', () => {
  const { checks } = check({ a: { name: 'A', run }, b: { name: 'B', run, api: 'v1' } })
  expect([checkSlugs(checks, 'v2'), checkSlugs(checks, 'v1')]).toEqual([['a'], ['b']])
})

describe('a field that is wrong is named, with what it must be', () => {
  const one = (fields: object) => ({ smoke: { name: 'Smoke', run, ...fields } })
  test.each([
    [one({ name: '' }), 'checks.smoke.name: '],
    [one({ requires: 'luck' }), 'checks.smoke.requires: '],
    [one({ blocks: 'everything' }), 'checks.smoke.blocks: '],
    [one({ targets: [] }), 'checks.smoke.targets: '],
    [one({ timeout: '1 ms' }), "checks.smoke.timeout: must be a duration from '1 second'"],
    [one({ deadline: 'soon' }), "checks.smoke.deadline: must be a duration from '1 second'"],
    [one({ deadline: '6 minutes' }), 'checks.smoke.deadline: must not be longer than the timeout'],
    [one({ api: 'v3' }), 'checks.smoke.api: '],
    [
      one({ api: 'v1', requires: 'none' }),
      'checks.smoke.requires: must be left out with v1, whose checks are run on what is built',
    ],
    [
      one({ api: 'v1', timeout: '10 minutes', deadline: '9 minutes' }),
      'checks.smoke.timeout: must be left out with v1, where Vercel waits for 5 minutes',
    ],
    [one({ api: 'v1', deadline: '280 seconds' }), 'checks.smoke.deadline: must be at most 270'],
    [one({ api: 'v1', blocks: 'build-start' }), 'checks.smoke.blocks: must not be build-start'],
    [one({ after: 'seed' }), 'checks.smoke.after: must be the slug of an action (branch)'],
    [one({ after: 'constructor' }), 'checks.smoke.after: '],
    [{ 'Not a slug': { name: 'Smoke', run } }, 'checks.Not a slug: must be 1 to 63'],
    [
      { a: { name: 'Smoke', run }, b: { name: 'Smoke', run } },
      'checks.b.name: must not be that of another check (Smoke)',
    ],
  ])('%j', (checks, message) => {
    expect(() => check(checks)).toThrow(message)
  })
})

test('a driver that actions and checks share is there once', () => {
  const [one, other] = [postgres(), postgres()]
  const config = defineConfig({
    actions: { branch: { name: 'Branch', driver: one }, env: { name: 'Env' } },
    checks: { a: { name: 'A', run, driver: one }, b: { name: 'B', run, driver: other } },
  })
  expect(driversOf(config)).toEqual([one, other])
})
