import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// In a process of its own: in this one vitest would load the files, and not what loads them for an operator.

const FILES = {
  'package.json': '{"type":"module"}',
  'plain.ts': `
    interface Action { name: string; deadline?: string }
    const branch: Action = { name: 'Branch' }
    export default { temporal: { taskQueue: 'mine' }, actions: { branch } }`,
  'script.js': `export default { actions: { env: { name: 'Env' } } }`,
  'nothing.ts': `export const config = { actions: {} }`,
  'syntax.ts': `export default { actions: `,
  'throws.ts': `throw new Error('no such thing as a free branch')`,
  'imports.ts': `import './missing.ts'\nexport default { actions: {} }`,
  'number.ts': `export default 5`,
  'wrong.ts': `export default { actions: { branch: { name: '' } } }`,
  'untyped/package.json': '{}',
  'untyped/temporal.config.ts': `export default { actions: {} }`,
  'untyped/temporal.config.mts': `export default { actions: {} }`,
  'commonjs/package.json': '{"type":"commonjs"}',
  'commonjs/temporal.config.ts': `
    import { defineConfig } from '${join(import.meta.dirname, '../../src/index.ts')}'
    export default defineConfig({ actions: {} })`,
}
const repositorysOwn = join(import.meta.dirname, '../../temporal.config.ts')

let directory: string
let results: Record<string, { error?: string; message?: string }>

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdpoint-config-'))
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  const names = [...Object.keys(FILES).filter((name) => !name.endsWith('.json')), 'absent.ts']
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    // As loadConfig registers it: for modules only, not for CommonJS.
    'tsx/esm',
    join(import.meta.dirname, 'load-config-process.ts'),
    ...names.map((name) => join(directory, name)),
    repositorysOwn,
  ])
  results = JSON.parse(stdout) as typeof results
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const of = (name: string) => results[join(directory, name)]

describe('a configuration is loaded', () => {
  test('from TypeScript that imports from holdpoint: the repository’s own', () => {
    expect(results[repositorysOwn]).toEqual({
      taskQueue: 'deployment-actions',
      actions: ['branch', 'env'],
    })
  })

  test('from an object that nobody has passed to defineConfig', () => {
    expect(of('plain.ts')).toEqual({ taskQueue: 'mine', actions: ['branch'] })
  })

  test('from JavaScript', () => {
    expect(of('script.js')).toEqual({ taskQueue: 'deployment-actions', actions: ['env'] })
  })

  test('from a module by its name, whatever the package beside it is', () => {
    expect(of('untyped/temporal.config.mts')).toEqual({
      taskQueue: 'deployment-actions',
      actions: [],
    })
  })
})

describe('one that cannot be used is named, with the reason and what to do', () => {
  test.each([
    ['a file that is not there', 'absent.ts', 'name another with --config'],
    ['one without a default export', 'nothing.ts', 'End it with: export default defineConfig'],
    ['one that does not parse', 'syntax.ts', 'does not load'],
    ['one that throws', 'throws.ts', 'no such thing as a free branch'],
    ['one that imports what is not there', 'imports.ts', 'missing.ts'],
    ['one that Node takes for CommonJS', 'commonjs/temporal.config.ts', '"type": "module"'],
    ['one beside no type', 'untyped/temporal.config.ts', '"type": "module"'],
  ])('%s', (_, name, told) => {
    expect(of(name)).toMatchObject({ error: 'InvalidConfig' })
    expect(of(name)?.message).toContain(join(directory, name))
    expect(of(name)?.message).toContain('so no action is known')
    expect(of(name)?.message).toContain(told)
  })

  test('and of a wrong field, the field', () => {
    expect(of('wrong.ts')?.message).toContain('actions.branch.name: ')
    expect(of('number.ts')).toMatchObject({ error: 'InvalidConfig' })
  })
})
