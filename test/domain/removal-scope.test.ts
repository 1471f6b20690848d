import { expect, test } from 'vitest'
import { isWithin, type RemovalScope } from '../../src/domain/removal-scope.ts'

const ids = { installationId: 'icfg_A', resourceId: 'db', deploymentId: 'dpl_1' }

test.each<[RemovalScope]>([
  [{ installationId: 'icfg_A' }],
  [{ installationId: 'icfg_A', resourceId: 'db' }],
  [{ deploymentId: 'dpl_1' }],
])('what carries each id of %j is to go', (scope) => {
  expect(isWithin(scope, ids)).toBe(true)
})

test.each<[RemovalScope]>([
  [{ installationId: 'icfg_B' }],
  [{ installationId: 'icfg_A', resourceId: 'other' }],
  [{ installationId: 'icfg_B', resourceId: 'db' }],
  [{ deploymentId: 'dpl_2' }],
])('what carries another id than in %j stays', (scope) => {
  expect(isWithin(scope, ids)).toBe(false)
})

test('what carries too few ids, or none, stays', () => {
  const shared = { installationId: 'icfg_A', resourceId: 'db' }
  expect(isWithin({ deploymentId: 'dpl_1' }, shared)).toBe(false)
  expect(
    isWithin({ installationId: 'icfg_A', resourceId: 'db' }, { installationId: 'icfg_A' }),
  ).toBe(false)
  expect(isWithin({ installationId: 'icfg_A' }, undefined)).toBe(false)
})
