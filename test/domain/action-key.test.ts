import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ActionKey, actionDigest, actionWorkflowId } from '../../src/domain/action-key.ts'
import { branchRef } from '../../src/domain/branch-ref.ts'

const key: ActionKey = {
  installationId: 'icfg_Abc123',
  resourceId: 'db-42',
  deploymentId: 'dpl_9xY',
  action: 'branch',
}

// Parts that tempt a careless join or escape: separators, what Postgres and URLs fold, long ones, any Unicode.
const part = fc.oneof(
  fc.constantFrom('a', 'a~b', 'b', '~', '@', 'a@b', '%2F', '/', '..', 'A', 'a-', 'ä', '-', 'a b'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }),
)
const anyKey: fc.Arbitrary<ActionKey> = fc.record({
  installationId: part,
  resourceId: part,
  deploymentId: part,
  action: part,
})

test('the workflow id of a key never changes: redelivered webhooks meet the run of the first one', () => {
  expect(actionWorkflowId(key)).toBe('action~icfg_Abc123~db-42~dpl_9xY~branch')
  expect(actionWorkflowId({ ...key, resourceId: 'team/db 42%2F' })).toBe(
    'action~icfg_Abc123~team-db-42-2F@04fb4a84cb1d8ab424754ef7a571eae8~dpl_9xY~branch',
  )
})

test('different keys have different workflow ids and branch names, equal keys the same', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (one, other) => {
      const same = JSON.stringify(Object.values(one)) === JSON.stringify(Object.values(other))
      expect(actionWorkflowId(one) === actionWorkflowId(other)).toBe(same)
      expect(branchRef(one).name === branchRef(other).name).toBe(same)
      expect(actionDigest(one) === actionDigest(other)).toBe(same)
    }),
    { numRuns: 500 },
  )
})

test('a workflow id stands in a URL of the Web UI unescaped and within the length Temporal takes', () => {
  fc.assert(
    fc.property(anyKey, (any) => {
      expect(actionWorkflowId(any)).toMatch(/^[A-Za-z0-9_.~@-]{1,500}$/)
    }),
  )
})

test('a branch name is at most 63 bytes, needs no quoting, and carries its owner', () => {
  fc.assert(
    fc.property(anyKey, (any) => {
      const ref = branchRef(any)
      expect(ref.name).toMatch(/^[a-z][a-z0-9_]{0,62}$/)
      expect(ref.owner).toEqual(any)
    }),
  )
})
