import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandEnd, commandLine } from './run-command.ts'

let line: Awaited<ReturnType<typeof commandLine>>
let [table, json, missing]: CommandEnd[] = []

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
  ;[table, json, missing] = await Promise.all([
    line.run(['actions']),
    line.run(['actions', '--json']),
    line.run(['actions', '--config', 'absent.ts']),
  ])
})
afterAll(() => line.remove())

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
    { slug: 'env', name: 'Set environment', suggestions: [] },
  ])
  expect(json?.stdout).not.toContain('"required"')
  expect(json?.stdout).not.toContain('hunter2')
})

test('a configuration that is not there ends the command with 1 and says how to go on', () => {
  expect(missing).toMatchObject({ code: 1, stdout: '' })
  expect(missing?.stderr).toMatch(/There is no configuration at .*absent\.ts.*--config/)
})
