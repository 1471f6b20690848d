import { expect, test } from 'vitest'
import type { ActionPhase } from '../../src/domain/action-run.ts'
import { verdictOnAction } from '../../src/domain/check-verdict.ts'

const conclusionOn = (phase: ActionPhase) =>
  verdictOnAction('branch', { phase, because: 'No branch is left.' })?.conclusion

test('what an action made is checked when it succeeded, and only then', () => {
  expect(conclusionOn('succeeded')).toBeUndefined()
})

test.each([
  ['failed', 'failed'],
  ['skipped', 'skipped'],
  ['canceled', 'canceled'],
  ['cleaned', 'canceled'],
  ['undoing', 'canceled'],
] as const)('after an action that is %s a check is %s', (phase, conclusion) => {
  expect(conclusionOn(phase)).toBe(conclusion)
})

test('a check fails with the words of its action', () => {
  const verdict = verdictOnAction('branch', { phase: 'failed', because: 'No branch is left.' })
  expect(verdict?.text).toBe('The action branch failed: No branch is left.')
})

test('a check without its action is skipped', () => {
  expect(verdictOnAction('branch', 'none')).toMatchObject({ conclusion: 'skipped' })
})
