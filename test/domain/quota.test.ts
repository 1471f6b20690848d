import { describe, expect, test } from 'vitest'
import { judgeQuota, type Quota, type QuotaFacts } from '../../src/domain/quota.ts'
import type { FoundObject } from '../../src/domain/reconciliation.ts'

const key = {
  installationId: 'icfg_A',
  resourceId: 'db',
  deploymentId: 'dpl_new',
  action: 'branch',
}
const ours = { complete: true, holdpoint: 'ours', sinceMs: 1000 }

/** What a deployment has, of the resource `db` unless said. */
const used = (name: string, fields: Partial<typeof key> = {}): FoundObject => ({
  ...ours,
  name,
  owner: { ...key, deploymentId: `dpl_${name}`, ...fields },
})
/** What nobody needs any more. */
const unneeded = (name: string, fields: Partial<FoundObject> = {}): FoundObject => ({
  ...ours,
  name,
  resource: { installationId: 'icfg_A', resourceId: 'db' },
  gitBranch: `feature/${name}`,
  ...fields,
})

function judged(
  objects: readonly FoundObject[],
  quota: Partial<Quota>,
  facts: Partial<QuotaFacts> = {},
) {
  return judgeQuota({
    quota: { whenFull: 'fail', ...quota },
    protectedBranches: ['main'],
    objects,
    wanted: { key },
    holdpoint: 'ours',
    ...facts,
  })
}

describe('what counts for a resource', () => {
  test.each<[string, readonly FoundObject[], string]>([
    ['nothing', [], 'room'],
    ['one less than the limit', [used('a')], 'room'],
    ['as many as the limit', [used('a'), used('b')], 'full'],
    ['more than the limit', [used('a'), used('b'), used('c')], 'full'],
    ['what nobody needs any more', [used('a'), unneeded('b')], 'full'],
    ['what is half made', [used('a'), { ...used('b'), complete: false }], 'full'],
    [
      'what another Holdpoint made for it',
      [used('a'), { ...used('b'), holdpoint: 'theirs' }],
      'full',
    ],
    [
      'what several share, once',
      [used('a'), { ...used('b'), name: 'a' }, { ...used('c'), name: 'a' }],
      'room',
    ],
    ['nothing of another resource', [used('a'), used('b', { resourceId: 'other' })], 'room'],
    [
      'nothing of another installation',
      [used('a'), used('b', { installationId: 'icfg_B' })],
      'room',
    ],
    [
      'nothing of which nobody knows the resource',
      [used('a'), { ...ours, name: 'b' }, { ...ours, name: 'c' }],
      'room',
    ],
  ])('%s', (_, objects, kind) => {
    expect(judged(objects, { perResource: 2 }).kind).toBe(kind)
  })
})

test('an installation counts all of its resources, and either limit is enough', () => {
  const objects = [used('a'), used('b', { resourceId: 'other' })]
  expect(judged(objects, { perInstallation: 3 }).kind).toBe('room')
  expect(judged(objects, { perInstallation: 2 }).kind).toBe('full')
  expect(judged(objects, { perInstallation: 9, perResource: 1 }).kind).toBe('full')
  expect(judged(objects, { perInstallation: 2, perResource: 9 }).kind).toBe('full')
})

describe('what is there already takes no room', () => {
  const full = [used('a'), used('b')]
  test('by its owner', () => {
    expect(judged([...full, used('c', key)], { perResource: 1 }).kind).toBe('room')
    for (const other of ['installationId', 'resourceId', 'deploymentId'] as const)
      expect(
        judged([...full, used('c', { ...key, [other]: 'x' })], { perResource: 1 }).kind,
        other,
      ).toBe('full')
  })

  test('by its name, whoever needs it', () => {
    const wanted = { key, name: 'b' }
    expect(judged(full, { perResource: 1 }, { wanted }).kind).toBe('room')
    expect(judged([used('a'), unneeded('b')], { perResource: 1 }, { wanted }).kind).toBe('room')
  })
})

test('the developer reads the numbers, and what to do', () => {
  const objects = [used('a'), used('b'), used('c')]
  expect(judged(objects, { perResource: 2 })).toMatchObject({
    because:
      'The action has made 3 for the resource and may make 2, so nothing was made for this deployment: delete deployments that are no longer needed, or ask the provider for a larger quota.',
  })
  expect(judged(objects, { perInstallation: 3 })).toMatchObject({
    because: expect.stringContaining('3 for all resources together and may make 3'),
  })
})

describe('to make room may go', () => {
  const evictable = (objects: readonly FoundObject[], quota: Partial<Quota>) => {
    const judgement = judged(objects, quota)
    return judgement.kind === 'full' ? judgement.evictable : undefined
  }

  test('what has been without a deployment for the longest time', () => {
    const { sinceMs: _age, ...ageless } = unneeded('ageless')
    const objects = [
      unneeded('newer', { sinceMs: 3000 }),
      unneeded('older', { sinceMs: 2000 }),
      ageless,
    ]
    for (const listed of [objects, objects.toReversed()])
      expect(evictable(listed, { perResource: 1 })).toEqual(['ageless', 'older', 'newer'])
  })

  test('neither what a deployment needs, nor of a protected git branch, nor of another Holdpoint', () => {
    const objects = [
      used('a'),
      unneeded('protected', { gitBranch: 'main' }),
      unneeded('foreign', { holdpoint: 'theirs' }),
      unneeded('free', { sinceMs: 9000 }),
    ]
    expect(evictable(objects, { perResource: 1 })).toEqual(['free'])
    expect(evictable(objects.slice(0, 3), { perResource: 1 })).toEqual([])
  })

  test('what counts for the limit that is reached, and what is shared by no git branch too', () => {
    const { gitBranch: _none, ...plain } = unneeded('plain')
    const elsewhere = unneeded('elsewhere', {
      resource: { installationId: 'icfg_A', resourceId: 'other' },
      sinceMs: 1,
    })
    expect(evictable([plain, elsewhere], { perResource: 1 })).toEqual(['plain'])
    expect(evictable([plain, elsewhere], { perInstallation: 2 })).toEqual(['elsewhere', 'plain'])
  })
})
