import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesAny } from '../../src/domain/glob.ts'

describe('a glob matches the whole name of a git branch', () => {
  test.each([
    ['main', 'main', true],
    ['main', 'Main', false],
    ['main', 'main2', false],
    ['main', 'my/main', false],
    // In full, as an API call may name it.
    ['main', 'refs/heads/main', true],
    ['release/*', 'release/1.0', true],
    ['release/*', 'release/', true],
    ['release/*', 'release/1.0/hotfix', false],
    ['release/**', 'release/1.0/hotfix', true],
    ['*', 'feature/x', false],
    ['**', 'feature/x', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'x', false],
    ['dependabot/**', 'dependabot/npm_and_yarn/lodash-4.17', true],
    ['*-wip', 'try-wip', true],
    ['*-wip', 'try-wip-2', false],
    ['v?', 'v1', true],
    ['v?', 'v', false],
    ['v?', 'v12', false],
    ['v?x', 'v/x', false],
    ['v?', 'v😀', true],
    ['***', 'a/b', true],
    // Characters that mean something to other kinds of patterns.
    ['a.b', 'axb', false],
    ['[ab]', 'a', false],
    ['(a|b)+', '(a|b)+', true],
    ['', '', true],
    ['', 'a', false],
  ])('%j and %j: %s', (glob, name, matches) => {
    expect(matchesAny([glob], name)).toBe(matches)
  })

  test('and one that matches is enough', () => {
    expect(matchesAny(['main', 'prod*'], 'production')).toBe(true)
    expect(matchesAny([], 'production')).toBe(false)
  })
})

test('a glob means what the regular expression made of it means', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 })
  const globs = fc.string({ unit: fc.constantFrom('a', '/', '*', '**', '?'), maxLength: 8 })
  const expression = (glob: string) => {
    const meaning: Record<string, string> = { '**': '[^]*', '*': '[^/]*', '?': '[^/]' }
    const parts = (glob.match(/\*\*|./g) ?? []).map((part) => meaning[part] ?? part)
    return new RegExp(`^${parts.join('')}$`)
  }
  fc.assert(
    fc.property(globs, text, (glob, name) => {
      expect(matchesAny([glob], name)).toBe(expression(glob).test(name))
    }),
    { numRuns: 3000 },
  )
})

test('a name made to keep a pattern busy is judged at once', () => {
  const name = `${'a'.repeat(20_000)}b`
  const begunAt = performance.now()
  expect(matchesAny(['**a**a**a**a**a**a**c'], name)).toBe(false)
  expect(performance.now() - begunAt).toBeLessThan(2000)
})
