import { describe, expect, test } from 'vitest'
import { outcomeProblems } from '../../src/domain/outcome.ts'
import { Secret } from '../../src/domain/secret.ts'

function problems(...variables: [name: string, value: string][]): string[] {
  return outcomeProblems({
    secrets: variables.map(([name, value]) => ({ name, value: new Secret(value) })),
  })
}

test('an outcome that Vercel takes has no problems', () => {
  expect(problems()).toEqual([])
  expect(problems(['DATABASE_URL', 'postgres://x'], ['_x1', ''], ['A'.repeat(256), 'y'])).toEqual(
    [],
  )
})

describe('a name that Vercel refuses, or that would reach browsers, is named with the next step', () => {
  test.each([
    ['1ST', 'not starting with a digit'],
    ['', 'not allowed'],
    ['MY-VAR', 'letters, digits and underscores'],
    ['ÄRGER', 'not allowed'],
    ['A'.repeat(257), 'at most 256'],
    ['TZ', 'reserved by Vercel'],
    ['AWS_LAMBDA_FUNCTION_NAME', 'reserved by Vercel'],
    ['NEXT_PUBLIC_DATABASE_URL', 'browser'],
    ['VITE_URL', 'browser'],
    ['PUBLIC_URL', 'browser'],
  ])('%s', (name, text) => {
    expect(problems([name, 'x'])).toEqual([expect.stringContaining(text)])
  })
})

test('a variable that is set twice is named once', () => {
  expect(problems(['A', '1'], ['A', '2'], ['A', '3'], ['B', '4'])).toEqual([
    expect.stringContaining('A is set twice'),
  ])
})

test('names and values may take 65,536 bytes together and not one more', () => {
  expect(problems(['A', 'x'.repeat(65_535)])).toEqual([])
  expect(problems(['A', 'x'.repeat(65_536)])).toEqual([expect.stringContaining('65537 bytes')])
  // Bytes, not characters: an umlaut takes two.
  expect(problems(['A', 'ü'.repeat(32_768)])).toEqual([expect.stringContaining('65537 bytes')])
})

test('no problem ever repeats a value', () => {
  const found = problems(
    ['TZ', 'hunter2'],
    ['1', 'hunter2'],
    ['A', 'hunter2'.repeat(10_000)],
    ['A', 'x'],
  )
  expect(found.length).toBe(4)
  expect(found.join()).not.toContain('hunter2')
})
