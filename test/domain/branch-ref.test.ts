import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { branchRef, isOwn, sameOwner, sharedBranchRef } from '../../src/domain/branch-ref.ts'

const action = { installationId: 'icfg_1', resourceId: 'db', action: 'branch' }
const own = branchRef({ ...action, deploymentId: 'dpl_1' })
const gitBranch = { ...action, projectId: 'prj_1', gitBranch: 'feature/x' }
const shared = sharedBranchRef(gitBranch)

const text = fc.string({ unit: 'binary' })
const gitBranchKey = fc.record({
  installationId: text,
  resourceId: text,
  projectId: text,
  gitBranch: text,
  action: text,
})

describe('the branch that the deployments of a git branch share', () => {
  test('has a name that is legal everywhere, whatever its owner is called', () => {
    fc.assert(
      fc.property(gitBranchKey, (key) => {
        expect(sharedBranchRef(key).name).toMatch(/^hp_[a-z0-9_]{0,24}_[0-9a-f]{32}$/)
      }),
    )
    expect(shared.name).toMatch(/^hp_feature_x_[0-9a-f]{32}$/)
  })

  test('is the same for the same owner, and another one where any part differs', () => {
    expect(sharedBranchRef({ ...gitBranch }).name).toBe(shared.name)
    const others = Object.keys(gitBranch).map(
      (part) => sharedBranchRef({ ...gitBranch, [part]: 'other' }).name,
    )
    expect(new Set([shared.name, ...others]).size).toBe(6)
  })

  test('is never that of a single deployment, however its parts are called', () => {
    fc.assert(
      fc.property(gitBranchKey, (key) => {
        const { installationId, resourceId, gitBranch: deploymentId } = key
        const alone = branchRef({ installationId, resourceId, deploymentId, action: key.action })
        expect(alone.name).not.toBe(sharedBranchRef(key).name)
      }),
    )
  })

  test('is told from that of one deployment', () => {
    expect([isOwn(own), isOwn(shared)]).toEqual([true, false])
  })
})

describe('two owners are the same', () => {
  test('when all their parts are, in whatever order', () => {
    const { action: slug, ...rest } = own.owner
    expect(sameOwner(own.owner, { action: slug, ...rest })).toBe(true)
    expect(sameOwner(shared.owner, { ...gitBranch })).toBe(true)
  })

  test('but not when a part differs, or one is shared and the other is not', () => {
    expect(sameOwner(own.owner, { ...own.owner, resourceId: 'other' })).toBe(false)
    expect(sameOwner(own.owner, shared.owner)).toBe(false)
  })
})
