import { describe, expect, test } from 'vitest'
import { vercelWaitMs } from '../../src/vercel/retry-after.ts'

const now = Date.parse('2026-08-01T12:00:00Z')
const FIVE_MINUTES = 300_000

function wait(header: string | undefined, reset?: number): number | undefined {
  return vercelWaitMs(header, reset === undefined ? undefined : { reset }, now)
}

describe('Retry-After is kept', () => {
  test.each([
    ['0', 0],
    ['1', 1000],
    [' 1.5 ', 1500],
    ['300', FIVE_MINUTES],
    ['Sat, 01 Aug 2026 12:00:20 GMT', 20_000],
  ])('%s', (header, expected) => {
    expect(wait(header)).toBe(expected)
  })
})

describe('no wait is negative or over five minutes', () => {
  test.each([
    ['-5', 0],
    ['Sat, 01 Aug 2026 11:00:00 GMT', 0],
    ['301', FIVE_MINUTES],
    ['99999999999999999999', FIVE_MINUTES],
    ['Sun, 01 Aug 2027 12:00:00 GMT', FIVE_MINUTES],
  ])('%s', (header, expected) => {
    expect(wait(header)).toBe(expected)
  })

  test('by the body’s reset neither', () => {
    expect(wait(undefined, now / 1000 - 10)).toBe(0)
    expect(wait(undefined, now / 1000 + 86_400)).toBe(FIVE_MINUTES)
  })
})

test('the body’s reset counts where the header is absent, empty or nonsense, and only there', () => {
  const reset = now / 1000 + 30
  expect(wait(undefined, reset)).toBe(30_000)
  expect(wait('', reset)).toBe(30_000)
  expect(wait('soon', reset)).toBe(30_000)
  expect(wait('2', reset)).toBe(2000)
})

test('without either the wait is left to the caller', () => {
  expect(wait(undefined)).toBeUndefined()
  expect(wait('soon')).toBeUndefined()
})
