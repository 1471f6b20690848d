import { expect, test } from 'vitest'
import { deploymentRemovalWorkflowId } from '../../src/domain/deployment-removal.ts'
import { resourceIdFor, resourceWorkflowId } from '../../src/domain/resource-key.ts'
import { changeMark, secretsExpiryWorkflowId } from '../../src/domain/resource-run.ts'

const key = { installationId: 'icfg_A', resourceId: 'db' }

test('all that is done to a resource has one workflow id, and another resource another one', () => {
  expect(resourceWorkflowId(key)).toBe('resource~icfg_A~db')
  expect(resourceWorkflowId({ ...key, resourceId: 'other' })).not.toBe(resourceWorkflowId(key))
})

test('the same request names the same resource, and no other request or installation does', () => {
  const id = resourceIdFor('icfg_A', 'key-1')
  expect(id).toMatch(/^hpr_[0-9a-f]{32}$/)
  expect(resourceIdFor('icfg_A', 'key-1')).toBe(id)
  expect(resourceIdFor('icfg_A', 'key-2')).not.toBe(id)
  expect(resourceIdFor('icfg_B', 'key-1')).not.toBe(id)
})

test('a rotation is known by its id alone, an update by what it changes', () => {
  const rotation = { kind: 'rotation', rotationId: 'r1', keepOldMs: 5 } as const
  expect(changeMark({ ...rotation, keepOldMs: 6 })).toBe(changeMark(rotation))
  expect(changeMark({ ...rotation, rotationId: 'r2' })).not.toBe(changeMark(rotation))
  const update = { kind: 'update', changes: { name: 'one' } } as const
  expect(changeMark({ kind: 'update', changes: { name: 'one' } })).toBe(changeMark(update))
  expect(changeMark({ kind: 'update', changes: { name: 'other' } })).not.toBe(changeMark(update))
})

test('each rotation has one end of its old secrets, each deployment one removal', () => {
  expect(secretsExpiryWorkflowId(key, 'r1')).toBe('secrets-expiry~icfg_A~db~r1')
  expect(secretsExpiryWorkflowId(key, 'r2')).not.toBe(secretsExpiryWorkflowId(key, 'r1'))
  expect(deploymentRemovalWorkflowId('dpl_1')).toBe('deployment-removal~dpl_1')
})
