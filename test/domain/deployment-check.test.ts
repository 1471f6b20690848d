import { expect, test } from 'vitest'
import {
  deploymentCheckConclusion,
  deploymentCheckExternalId,
  type DeploymentCheckKey,
  deploymentCheckName,
  deploymentCheckWorkflowId,
} from '../../src/domain/deployment-check.ts'
import { ownerOf } from '../../src/domain/vercel-event.ts'

const key = { installationId: 'icfg_A', deploymentId: 'dpl_9', check: 'smoke' }

test('the ids of a deployment’s check never change, and are those of no other', () => {
  expect(deploymentCheckWorkflowId(key)).toBe('deployment-check~icfg_A~dpl_9~smoke')
  expect(deploymentCheckExternalId(key)).toBe('a450f0aa6d2d3e4a3261ed4c17e07f9d')
  const others: Partial<DeploymentCheckKey>[] = [
    {},
    { installationId: 'icfg_B' },
    { deploymentId: 'dpl_8' },
    { check: 'schema' },
    { resourceId: 'db/1' },
    { resourceId: 'db-1' },
  ]
  for (const idOf of [deploymentCheckWorkflowId, deploymentCheckExternalId])
    expect(new Set(others.map((other) => idOf({ ...key, ...other }))).size).toBe(others.length)
})

test('only where several resources have the check, its name tells which, in Vercel’s 100 characters', () => {
  const ofResource = { key: { ...key, resourceId: 'db/1' } }
  expect(deploymentCheckName('Smoke', ofResource)).toBe('Smoke')
  expect(deploymentCheckName('Smoke', { ...ofResource, isOneOfSeveral: true })).toBe('Smoke (db/1)')
  expect(deploymentCheckName('Smoke', { key, isOneOfSeveral: true })).toBe('Smoke')
  const long = deploymentCheckName('é'.repeat(100), { ...ofResource, isOneOfSeveral: true })
  expect(long).toBe('é'.repeat(100))
})

test('what came too late has failed, in the words of v1', () => {
  expect(deploymentCheckConclusion('timeout')).toBe('failed')
  expect(deploymentCheckConclusion('neutral')).toBe('neutral')
})

test('an event of a deployment is that of the first installation that it concerns', () => {
  const event = {
    kind: 'deployment',
    news: 'ready',
    deploymentId: 'dpl_9',
    deliveryId: '1',
  } as const
  const concerned = [{ installationId: 'icfg_A' }, { installationId: 'icfg_B' }]
  expect(ownerOf({ ...event, concerned })).toBe('icfg_A')
  expect(ownerOf({ ...event, concerned: [] })).toBe('dpl_9')
})
