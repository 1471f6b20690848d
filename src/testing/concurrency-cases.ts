import assert from 'node:assert/strict'
import type { BranchRef } from '../domain/branch-ref.ts'
import { succeeds } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { LINES, type Scene } from './scene.ts'

/** Calls for one name that come at the same time. */
export const concurrencyCases = promises([], {
  'two creations of one branch at once make one branch': async (scene) => {
    const ref = scene.newRef()
    await Promise.all([scene.create(ref), scene.create(ref)])
    assert.deepEqual(await scene.lines(ref), LINES)
  },

  'eight creations of one branch at once all succeed and make one branch': async (scene) => {
    const ref = scene.newRef()
    const opened = await Promise.all(
      eight(async () => {
        await scene.create(ref)
        return (await scene.open(ref)).url.reveal()
      }),
    )
    assert.equal(new Set(opened).size, 1)
    assert.deepEqual(await scene.lines(ref), LINES)
    const listed = await scene.driver.listBranches(driverCall())
    assert.equal(listed.filter((branch) => branch.ref.name === ref.name).length, 1)
  },

  'creations of several branches of one resource at once all succeed': async (scene) => {
    const refs = [scene.newRef(), scene.newRef(), scene.newRef()]
    await Promise.all(refs.map(async (ref) => scene.create(ref)))
    for (const ref of refs) assert.deepEqual(await scene.lines(ref), LINES)
  },

  'a deletion that comes during the creation leaves nothing, or the whole branch': async (
    scene,
  ) => {
    const ref = scene.newRef()
    await Promise.all([scene.create(ref), scene.driver.deleteBranch(ref, driverCall())])
    await isWholeOrNothing(scene, ref)
  },

  'a deletion that comes when the copy has begun waits for it and leaves nothing': async (
    scene,
  ) => {
    const ref = scene.newRef()
    let deletion: Promise<void> | undefined
    const confirm = async () => {
      deletion = scene.driver.deleteBranch(ref, driverCall())
    }
    await scene.driver.createBranch({ source: scene.source, ref }, driverCall({ confirm }))
    assert(deletion, 'the creation did not ask whether it is still wanted')
    await deletion
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'two deletions of one branch at once both succeed and leave nothing': async (scene) => {
    const ref = scene.newRef()
    await scene.create(ref)
    await Promise.all([
      scene.driver.deleteBranch(ref, driverCall()),
      scene.driver.deleteBranch(ref, driverCall()),
    ])
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'eight deletions of one branch at once all succeed and leave nothing': async (scene) => {
    const ref = scene.newRef()
    await scene.create(ref)
    await Promise.all(eight(async () => scene.driver.deleteBranch(ref, driverCall())))
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'creations and deletions of one branch all at once leave nothing, or the whole branch': async (
    scene,
  ) => {
    const ref = scene.newRef()
    const outcomes = await Promise.all(
      eight(async (index) =>
        succeeds(
          index % 2 === 0 ? scene.create(ref) : scene.driver.deleteBranch(ref, driverCall()),
        ),
      ),
    )
    assert(outcomes.every(Boolean), 'one of the calls failed')
    await isWholeOrNothing(scene, ref)
  },

  'a list made while branches come and go succeeds': async (scene) => {
    const ref = scene.newRef()
    const changes = (async () => {
      await scene.create(ref)
      await scene.driver.deleteBranch(ref, driverCall())
    })()
    let done = false
    const lists = (async () => {
      while (!done) await scene.driver.listBranches(driverCall())
    })()
    await changes.finally(() => (done = true))
    await lists
  },
})

async function isWholeOrNothing(scene: Scene, ref: BranchRef): Promise<void> {
  const record = await scene.record(ref)
  if (record) {
    assert(record.complete, 'a half-made branch is left')
    assert.deepEqual(await scene.lines(ref), LINES)
    await scene.driver.deleteBranch(ref, driverCall())
  }
  assert.deepEqual(await scene.subject.remains(ref.name), [])
}

function eight<Result>(act: (index: number) => Promise<Result>): Promise<Result>[] {
  return Array.from({ length: 8 }, async (_none, index) => act(index))
}
