import { describe, expect, test } from 'vitest'
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
