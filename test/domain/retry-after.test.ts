import { expect, test } from 'vitest'
import { retryAfterMs } from '../../src/domain/retry-after.ts'

const now = Date.parse('2026-01-01T00:00:00Z')

test.each([
  ['3', 3_000],
  ['0', 0],
  [' 1.5 ', 1_500],
  ['-1', 0],
  ['86400', 300_000],
  ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['Fri, 01 Jan 2027 00:00:00 GMT', 300_000],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('the header %j asks for %j ms', (header, expected) => {
  expect(retryAfterMs(header, now)).toBe(expected)
})
