import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandEnd, commandLine } from './run-command.ts'

let line: Awaited<ReturnType<typeof commandLine>>
let [table, json, missing, fullTable, fullJson]: CommandEnd[] = []
const lines: Awaited<ReturnType<typeof commandLine>>[] = []

beforeAll(async () => {
  line = await commandLine(`
    const options = z.object({
      size: z.number().int().min(1).default(1).describe('In GiB'),
      mode: z.enum(['copy', 'empty']).default('copy'),
    })
    export default holdpoint.defineConfig({
      actions: {
        branch: holdpoint.defineAction({
          name: 'Branch database', description: 'A copy', suggest: ['preview', 'qa'], options,
        }),
        env: holdpoint.setEnvironment({ name: 'Set environment', variables: { KEY: 'hunter2' } }),
      },
    })`)
  const full = await commandLine(`
    const steps = {
      provision: async () => {}, secrets: async () => ({}), deprovision: async () => {},
    }
    const plan = (id) => ({ id, type: 'subscription', name: id, description: id })
    export default holdpoint.defineConfig({
      actions: {},
      checks: {
        smoke: { name: 'Smoke test', targets: ['preview'], blocks: 'none', run: async () => {} },
        old: { api: 'v1', name: 'Old', run: async () => {} },
      },
      products: {
        database: holdpoint.provisionResource({
          name: 'Database', ...steps, plans: [plan('free'), plan('pro')],
          metadata: z.object({ region: z.string() }),
        }),
        cache: holdpoint.provisionResource({ name: 'Cache', ...steps, plans: async () => [] }),
      },
    })`)
  lines.push(line, full)
  ;[table, json, missing, fullTable, fullJson] = await Promise.all([
    line.run(['actions']),
    line.run(['actions', '--json']),
    line.run(['actions', '--config', 'absent.ts']),
    full.run(['actions']),
    full.run(['actions', '--json']),
  ])
})
afterAll(() => Promise.all(lines.map((each) => each.remove())))

test('the declared actions are printed as a table for people', () => {
  expect(table).toMatchObject({ code: 0, stderr: '' })
  expect(table?.stdout.split('\n').slice(0, 3)).toEqual([
    'SLUG    NAME             SUGGESTED FOR  OPTIONS',
    'branch  Branch database  preview, qa    size, mode',
    'env     Set environment  -              -',
  ])
  expect(table?.stdout).toContain('Integration Console')
})

test('and as JSON with the options’ JSON Schema, in which a default makes an option optional', () => {
  expect(json?.code).toBe(0)
  const declarations: unknown = JSON.parse(json?.stdout ?? '')
  expect(declarations).toEqual([
    {
      kind: 'action',
      slug: 'branch',
      name: 'Branch database',
      description: 'A copy',
      suggestions: ['preview', 'qa'],
      options: expect.objectContaining({
        type: 'object',
        properties: {
          size: expect.objectContaining({ type: 'integer', default: 1, description: 'In GiB' }),
          mode: { type: 'string', enum: ['copy', 'empty'], default: 'copy' },
        },
      }),
    },
    { kind: 'action', slug: 'env', name: 'Set environment', suggestions: [] },
  ])
  expect(json?.stdout).not.toContain('"required"')
  expect(json?.stdout).not.toContain('hunter2')
})

test('checks and products are printed as well', () => {
  expect(fullTable).toMatchObject({ code: 0, stderr: '' })
  const rows = fullTable?.stdout.split('\n')
  expect(rows).toContain('CHECK  API  NAME        TARGETS     REQUIRES        BLOCKS')
  expect(rows).toContain('smoke  v2   Smoke test  preview     deployment-url  none')
  expect(rows).toContain('old    v1   Old         production  -               deployment')
  expect(rows).toContain('PRODUCT   NAME      PLANS      METADATA')
  expect(rows).toContain('database  Database  free, pro  region')
  expect(rows).toContain('cache     Cache     asked      -')
  expect(JSON.parse(fullJson?.stdout ?? '')).toEqual([
    {
      kind: 'check',
      slug: 'smoke',
      api: 'v2',
      name: 'Smoke test',
      requires: 'deployment-url',
      targets: ['preview'],
      blocks: 'none',
    },
    {
      kind: 'check',
      slug: 'old',
      api: 'v1',
      name: 'Old',
      blocking: true,
      targets: ['production'],
    },
    {
      kind: 'product',
      slug: 'database',
      name: 'Database',
      plans: ['free', 'pro'],
      metadata: expect.objectContaining({ properties: { region: { type: 'string' } } }),
    },
    { kind: 'product', slug: 'cache', name: 'Cache', plans: 'asked' },
  ])
})

test('a configuration that is not there ends the command with 1 and says how to go on', () => {
  expect(missing).toMatchObject({ code: 1, stdout: '' })
  expect(missing?.stderr).toMatch(/There is no configuration at .*absent\.ts.*--config/)
})
