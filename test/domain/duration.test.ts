import { expect, test } from 'vitest'
import { describeDuration, parseDuration } from '../../src/domain/duration.ts'

test.each([
  ['90 seconds', 90_000],
  ['2h', 7_200_000],
  ['0', 0],
  ['-1 second', undefined],
  ['soon', undefined],
  ['', undefined],
])('the duration %j is %s ms', (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs)
})

test('people read it in words', () => {
  expect(describeDuration(31 * 86_400_000)).toBe('31 days')
  expect(describeDuration(3_600_000.4)).toBe('1 hour')
})
