import assert from 'node:assert/strict'
import { failsForGood } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { inUse, LINES } from './scene.ts'

const AN_HOUR_MS = 3_600_000
const CLOCK_SKEW_MS = 2_000

/** Claims given up, and the end of the branch. */
export const releaseCases = promises(['sharing'], {
  'a claim given up leaves the branch and the other claims': async (scene) => {
    const ref = await inUse(scene)
    await scene.claim(ref, 'dpl_2')
    await scene.release(ref, 'dpl_1')
    const { claims, unclaimedSince } = (await scene.record(ref)) ?? {}
    assert.deepEqual(
      claims?.map(({ deploymentId }) => deploymentId),
      ['dpl_2'],
    )
    assert.equal(unclaimedSince, undefined)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
  },

  'the last claim given up notes the time, and the branch can still be opened': async (scene) => {
    const ref = await inUse(scene)
    const before = Date.now()
    await scene.release(ref, 'dpl_1')
    const record = await scene.record(ref)
    assert.deepEqual(record?.claims, [])
    isNear(record.unclaimedSince, before)
    assert.equal(record.complete, true)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
  },

  'a claim given up twice, or never had, changes nothing': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_unknown')
    assert.deepEqual(await scene.claims(ref), ['dpl_1'])
    await scene.release(ref, 'dpl_1')
    const before = await scene.record(ref)
    await scene.release(ref, 'dpl_1')
    await scene.release(ref, 'dpl_unknown')
    assert.deepEqual(await scene.record(ref), before)
  },

  'a claim given up on a branch that does not exist succeeds and makes nothing': async (scene) => {
    const ref = scene.newSharedRef()
    await scene.release(ref, 'dpl_1')
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'claims given up at once are all given up': async (scene) => {
    const ref = scene.newSharedRef()
    const deployments = ['dpl_1', 'dpl_2', 'dpl_3', 'dpl_4']
    for (const deploymentId of deployments) await scene.claim(ref, deploymentId)
    await Promise.all(deployments.map(async (deploymentId) => scene.release(ref, deploymentId)))
    const record = await scene.record(ref)
    assert.deepEqual(record?.claims, [])
    assert(record.unclaimedSince)
  },

  'a release waits for the claim that is being put on, and takes it off': async (scene) => {
    const ref = scene.newSharedRef()
    let release: Promise<void> | undefined
    const confirm = async () => {
      release = scene.release(ref, 'dpl_1')
    }
    const { source } = scene
    await scene.sharing.claimBranch(
      { source, ref, deploymentId: 'dpl_1', onPush: 'reuse' },
      driverCall({ confirm }),
    )
    assert(release, 'the claim did not ask whether it is still wanted')
    await release
    assert.deepEqual(await scene.claims(ref), [])
  },

  'a new claim on an unclaimed branch takes the noted time away': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_1')
    await scene.claim(ref, 'dpl_2')
    assert.equal((await scene.record(ref))?.unclaimedSince, undefined)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
  },

  'a branch with a claim is not deleted as unclaimed': async (scene) => {
    const ref = await inUse(scene)
    await scene.claim(ref, 'dpl_2')
    await scene.release(ref, 'dpl_1')
    assert.equal(await scene.deleteUnclaimed(ref, 0), false)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
  },

  'a reset that was given up on the way is made good for those who claim the branch': async (
    scene,
  ) => {
    const ref = await inUse(scene)
    const call = driverCall({ signal: AbortSignal.timeout(20) })
    const request = { source: scene.source, ref, deploymentId: 'dpl_2', onPush: 'reset' } as const
    await scene.sharing.claimBranch(request, call).catch(() => {})
    await scene.release(ref, 'dpl_2')
    for (let times = 0; times < 2; times += 1)
      await scene.sharing.restoreBranch({ source: scene.source, ref }, driverCall())
    assert.equal((await scene.record(ref))?.complete, true)
    assert.deepEqual(await scene.claims(ref), ['dpl_1'])
    assert.deepEqual((await scene.lines(ref)).slice(0, LINES.length), LINES)
  },

  'a branch that stands, or that nobody claims, is left as it is by a restoration': async (
    scene,
  ) => {
    const [ref, unknown] = [await inUse(scene), scene.newSharedRef()]
    const restore = (of: typeof ref) =>
      scene.sharing.restoreBranch({ source: scene.source, ref: of }, driverCall())
    await restore(ref)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
    await restore(unknown)
    assert.equal(await scene.record(unknown), undefined)
  },

  'an unclaimed branch is deleted after its time, and not before': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_1')
    assert.equal(await scene.deleteUnclaimed(ref, AN_HOUR_MS), false)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
    await scene.subject.stayConnected(await scene.open(ref))
    assert.equal(await scene.deleteUnclaimed(ref, 0), true)
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'the time of an unclaimed branch begins anew with each last claim given up': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_1')
    const first = (await scene.record(ref))?.unclaimedSince?.getTime() ?? 0
    await scene.claim(ref, 'dpl_2')
    await scene.release(ref, 'dpl_2')
    const second = (await scene.record(ref))?.unclaimedSince?.getTime() ?? 0
    assert(second > first, 'the time of the first release stayed')
  },

  'an unclaimed branch that is gone, or never was, is deleted': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_1')
    for (const unclaimedForMs of [0, 0, AN_HOUR_MS])
      assert.equal(await scene.deleteUnclaimed(ref, unclaimedForMs), true)
    assert.equal(await scene.deleteUnclaimed(scene.newSharedRef(), AN_HOUR_MS), true)
  },

  'a claim after the deletion makes the branch anew': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_1')
    await scene.deleteUnclaimed(ref, 0)
    await scene.claim(ref, 'dpl_2')
    assert.deepEqual(await scene.lines(ref), LINES)
    assert.deepEqual(await scene.claims(ref), ['dpl_2'])
  },

  'a claim that meets the deletion of the unclaimed branch has a whole branch': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_1')
    await Promise.all([scene.claim(ref, 'dpl_2'), scene.deleteUnclaimed(ref, 0)])
    assert.equal((await scene.lines(ref)).includes('two'), true)
    assert.deepEqual(await scene.claims(ref), ['dpl_2'])
  },

  'a shared branch is neither made nor deleted as one deployment’s own, nor the other way round':
    async (scene) => {
      const [shared, own] = [await inUse(scene), scene.newRef()]
      await scene.create(own)
      await failsForGood(scene.create(shared), 'branch_shared')
      await failsForGood(scene.driver.deleteBranch(shared, driverCall()), 'branch_shared')
      await failsForGood(scene.claim(own, 'dpl_1'), 'branch_not_shared')
      await failsForGood(scene.release(own, 'dpl_1'), 'branch_not_shared')
      await failsForGood(scene.deleteUnclaimed(own, 0), 'branch_not_shared')
      assert.deepEqual(await scene.lines(shared), [...LINES, 'of dpl_1'])
      assert.deepEqual(await scene.lines(own), LINES)
    },

  'a shared branch of another owner is neither claimed, opened, worked on, released nor deleted':
    async (scene) => {
      const ref = await inUse(scene)
      const work = () => Promise.resolve()
      for (const part of ['installationId', 'resourceId', 'projectId', 'gitBranch', 'action']) {
        const stranger = { name: ref.name, owner: { ...ref.owner, [part]: 'another' } }
        const refusal = 'branch_owner_mismatch'
        await failsForGood(scene.claim(stranger, 'dpl_2'), refusal)
        await failsForGood(scene.claim(stranger, 'dpl_1', 'reset'), refusal)
        await failsForGood(scene.open(stranger), refusal)
        await failsForGood(scene.release(stranger, 'dpl_1'), refusal)
        await failsForGood(scene.deleteUnclaimed(stranger, 0), refusal)
        await failsForGood(scene.sharing.exclusively(stranger, driverCall(), work), refusal)
      }
      assert.deepEqual(await scene.claims(ref), ['dpl_1'])
      assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
    },
})

function isNear(time: Date | undefined, beforeMs: number): void {
  assert(time, 'no time was noted')
  assert(time.getTime() >= beforeMs - CLOCK_SKEW_MS && time.getTime() <= Date.now() + CLOCK_SKEW_MS)
}
