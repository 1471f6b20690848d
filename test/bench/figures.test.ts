import { expect, test } from 'vitest'
import { type Figure, Figures } from '../../bench/report/figures.ts'
import {
  cpuPerAction,
  greatestRate,
  overhead,
  SEQUENTIAL,
} from '../../bench/report/known-figures.ts'
import { judge } from '../../bench/report/requirements.ts'
import { figuresTable } from '../../bench/report/table.ts'

const figure: Figure = { name: 'overhead', unit: 'ms' }

test('the median of the rounds counts, and a single failed round does not', () => {
  const figures = new Figures()
  for (const value of [30, Number.NaN, 10]) figures.record(figure, 'holdpoint', value)
  expect(figures.median(figure, 'holdpoint')).toBe(20)
})

test('a system that failed in most rounds has no figure', () => {
  const figures = new Figures()
  for (const value of [30, Number.NaN, Number.NaN]) figures.record(figure, 'plain', value)
  expect(figures.median(figure, 'plain')).toBeNaN()
  expect(figures.median(figure, 'bare')).toBeUndefined()
})

test('a requirement is judged once everything that it needs was measured', () => {
  const figures = new Figures()
  figures.record(greatestRate, 'holdpoint', 60)
  expect(judge(figures)).toEqual([])
  figures.record(greatestRate, 'plain', 10)
  expect(judge(figures)).toMatchObject([{ value: 6, holds: true }])
  figures.record(cpuPerAction, 'holdpoint', 40)
  figures.record(cpuPerAction, 'plain', 100)
  expect(judge(figures)).toMatchObject([{ holds: true }, { value: 0.4, holds: false }])
})

test('a requirement does not hold when a system could not do what was asked', () => {
  const figures = new Figures()
  figures.record(overhead(50, SEQUENTIAL, 20), 'holdpoint', Number.NaN)
  figures.record(overhead(50, SEQUENTIAL, 20), 'bare', 60)
  expect(judge(figures)).toMatchObject([{ holds: false }])
})

test('the table shows the systems that were measured, and what Holdpoint takes of bare and plain', () => {
  const figures = new Figures()
  figures.record(figure, 'holdpoint', 30)
  figures.record(figure, 'bare', 60)
  expect(figuresTable(figures, [figure]).split('\n')).toEqual([
    '               Holdpoint  bare  ÷ bare',
    'overhead (ms)         30    60    0.50',
  ])
})
