import { expect, test } from 'vitest'
import { median, percentile } from '../../bench/statistics.ts'

test('the median is the middle value, whatever the order', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 2, 9])).toBe(9)
})

test('the median of an even number of values lies between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('a percentile is a value that was measured, with at least so many values not above it', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(percentile(values, 50)).toBe(100)
  expect(percentile(values, 95)).toBe(190)
  expect(percentile(values, 99)).toBe(198)
  expect(percentile([3, 1, 2], 50)).toBe(2)
  expect(percentile([7], 99)).toBe(7)
  expect(percentile([10, 9], 50)).toBe(9)
})

test('of no values there is neither a median nor a percentile', () => {
  expect(median([])).toBeNaN()
  expect(percentile([], 99)).toBeNaN()
})
