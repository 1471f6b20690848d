import { expect, test } from 'vitest'
import type { Verdict } from '../../src/domain/reconciliation.ts'
import {
  type ActResult,
  type Case,
  chooseActs,
  describeReport,
  joinSurveys,
  leftToDo,
  type Survey,
} from '../../src/domain/reconciliation-run.ts'

function found(verdict: Verdict, name: string, failedBefore = false): Case {
  return {
    action: 'branch',
    object: { name, complete: true },
    verdict,
    because: 'A reason.',
    failedBefore,
  }
}
const names = (cases: readonly Case[]) => cases.map(({ object }) => object.name)
const survey = (fields: Partial<Survey>): Survey => ({
  counts: {},
  cases: [],
  suspects: [],
  ...fields,
})

test('held builds come first, what was refused before comes last, and no more is done than the cap', () => {
  const cases = [
    found('wait', 'a'),
    found('destroy', 'b', true),
    found('destroy', 'c'),
    found('undecided', 'd'),
    found('expire', 'e'),
    found('resume', 'f'),
    found('resume', 'g', true),
  ]
  expect(names(chooseActs(cases, 99))).toEqual(['f', 'e', 'c', 'b', 'g'])
  expect(names(chooseActs(cases, 2))).toEqual(['f', 'e'])
})

test('surveys are summed up', () => {
  const joined = joinSurveys([
    survey({ counts: { keep: 2, destroy: 1 }, cases: [found('wait', 'a'), found('destroy', 'b')] }),
    survey({ counts: { keep: 3 }, cases: [found('resume', 'c')] }),
  ])
  expect(joined.counts).toMatchObject({ keep: 5, destroy: 1, foreign: 0 })
  expect(names(joined.cases)).toEqual(['c', 'b', 'a'])
})

test('what is carried is bounded: what is to be done stays, and the suspects that are next to go', () => {
  const many = Array.from({ length: 5000 }, (_, index) => index)
  const { cases, suspects, counts } = joinSurveys([
    survey({
      counts: { wait: 5000, destroy: 5000 },
      cases: many.flatMap((index) => [found('wait', `w${index}`), found('destroy', `d${index}`)]),
      suspects: many.map((index) => ({
        action: 'branch',
        digest: String(index),
        overSinceMs: 9999 - index,
      })),
    }),
  ])
  expect(cases).toHaveLength(500)
  expect(cases.every(({ verdict }) => verdict === 'destroy')).toBe(true)
  expect(suspects).toHaveLength(1500)
  expect(suspects[0]?.overSinceMs).toBe(5000)
  expect(counts).toMatchObject({ wait: 5000, destroy: 5000 })
  const long = many.map((index) => found('destroy', `${'x'.repeat(5000)}${index}`))
  expect(JSON.stringify(joinSurveys([survey({ cases: long })])).length).toBeLessThan(250_000)
})

test('a report tells what was done, what was not, and how much is left', () => {
  const acted = (name: string, result: ActResult) => ({ ...found('destroy', name), result })
  const report = {
    ...survey({ counts: { destroy: 4, keep: 1 } }),
    acts: [
      acted('a', { kind: 'done' }),
      acted('b', { kind: 'changed', because: 'It is back.' }),
      acted('c', { kind: 'failed', because: 'Refused.' }),
    ],
    unsurveyed: [{ action: 'cache', because: 'No answer.' }],
  }
  expect(leftToDo(report)).toBe(2)
  expect(leftToDo({ counts: {}, acts: [] })).toBe(0)
  const text = describeReport(report)
  for (const part of [
    'destroy 4',
    'wait 0',
    '`a` (branch)',
    'It is back.',
    'Refused.',
    'cache was not looked at',
    'Left for the next time: 2',
  ])
    expect(text).toContain(part)
})
