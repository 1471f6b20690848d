import assert from 'node:assert/strict'
import { failsForGood } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { LINES } from './scene.ts'

/** What a branch has to do with its resource, where it stands beside it at the provider. */
export const besideResourceCases = promises(['branchesLiveBeside'], {
  'a branch survives the deletion of its resource': async (scene) => {
    const source = await scene.subject.makeSource(LINES)
    const ref = scene.newRef({ resourceId: source })
    await scene.create(ref, source)
    await scene.addLine(ref, 'three')
    await scene.subject.deleteSource(source)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'three'])
    await scene.create(ref, source)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'three'])
    await failsForGood(scene.create(scene.newRef({ resourceId: source }), source), 'source_missing')
    await scene.driver.deleteBranch(ref, driverCall())
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'a branch made for another resource is neither taken, opened nor deleted': async (scene) => {
    const ref = scene.newRef()
    await scene.create(ref)
    const stranger = { name: ref.name, owner: { ...ref.owner, resourceId: 'another' } }
    await failsForGood(scene.create(stranger), 'branch_owner_mismatch')
    await failsForGood(scene.open(stranger), 'branch_owner_mismatch')
    const deletion = scene.driver.deleteBranch(stranger, driverCall())
    await failsForGood(deletion, 'branch_owner_mismatch')
    assert.deepEqual(await scene.lines(ref), LINES)
  },
})

/** The same, where branches live inside their resource. */
export const insideResourceCases = promises(['branchesLiveInside'], {
  'a branch goes with its resource, and deleting it then succeeds': async (scene) => {
    const source = await scene.subject.makeSource(LINES)
    const ref = scene.newRef({ resourceId: source })
    await scene.create(ref, source)
    await scene.subject.deleteSource(source)
    assert.equal(await scene.record(ref), undefined)
    await failsForGood(scene.open(ref), 'branch_missing')
    await scene.driver.deleteBranch(ref, driverCall())
    await failsForGood(scene.create(ref, source), 'source_missing')
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'branches of one name in two resources are two branches': async (scene) => {
    const source = await scene.subject.makeSource(['elsewhere'])
    const ref = scene.newRef()
    const other = { name: ref.name, owner: { ...ref.owner, resourceId: source } }
    await scene.create(ref)
    await scene.create(other, source)
    try {
      assert.deepEqual(await scene.lines(ref), LINES)
      assert.deepEqual(await scene.lines(other), ['elsewhere'])
      await scene.driver.deleteBranch(ref, driverCall())
      assert.deepEqual(await scene.lines(other), ['elsewhere'])
    } finally {
      await scene.driver.deleteBranch(other, driverCall())
    }
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'a branch made for another resource is not taken, and asking for it there finds nothing': async (
    scene,
  ) => {
    const ref = scene.newRef()
    await scene.create(ref)
    for (const resourceId of ['another', '', '../x']) {
      const stranger = { name: ref.name, owner: { ...ref.owner, resourceId } }
      await failsForGood(scene.create(stranger), 'branch_owner_mismatch')
      await failsForGood(scene.open(stranger), 'branch_missing')
      await scene.driver.deleteBranch(stranger, driverCall())
    }
    assert.deepEqual(await scene.lines(ref), LINES)
  },
})
