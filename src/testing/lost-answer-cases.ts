import assert from 'node:assert/strict'
import type { BranchRef } from '../domain/branch-ref.ts'
import type { ResourceDriver } from '../drivers/driver.ts'
import { forEachOf } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { LINES, type Scene } from './scene.ts'

/** The provider did what was asked and nobody heard of it; for each request that a call makes. */
export const lostAnswerCases = promises(['loseAnswer'], {
  'whichever answer of a creation is lost, creating again gives the whole branch': async (scene) =>
    eachAnswerLost(scene, {
      prepare: async () => scene.newRef(),
      act: async (driver, ref) => driver.createBranch({ source: scene.source, ref }, driverCall()),
      check: async (ref) => {
        assert.deepEqual(await scene.lines(ref), LINES)
        assert.equal((await scene.record(ref))?.complete, true)
        await scene.driver.deleteBranch(ref, driverCall())
        assert.deepEqual(await scene.subject.remains(ref.name), [])
      },
    }),

  'whichever answer of a creation is lost, deleting leaves nothing': async (scene) =>
    eachAnswerLost(scene, {
      prepare: async () => scene.newRef(),
      act: async (driver, ref) => driver.createBranch({ source: scene.source, ref }, driverCall()),
      again: async (ref) => scene.driver.deleteBranch(ref, driverCall()),
      check: async (ref) => assert.deepEqual(await scene.subject.remains(ref.name), []),
    }),

  'whichever answer of a deletion is lost, deleting again leaves nothing': async (scene) =>
    eachAnswerLost(scene, {
      prepare: async () => {
        const ref = scene.newRef()
        await scene.create(ref)
        return ref
      },
      act: async (driver, ref) => driver.deleteBranch(ref, driverCall()),
      check: async (ref) => assert.deepEqual(await scene.subject.remains(ref.name), []),
    }),
})

export const lostAnswerSharingCases = promises(['sharing', 'loseAnswer'], {
  'whichever answer of a further claim is lost, claiming again changes nothing of the branch':
    async (scene) => {
      const ref = await branchInUse(scene)
      await eachAnswerLost(scene, {
        prepare: async () => ref,
        act: async (driver, ref, nth) => claim(scene, { driver, ref, nth, onPush: 'reuse' }),
        check: async (ref, nth) => {
          assert((await scene.claims(ref))?.includes(`dpl_${nth}`), 'the claim is not there')
        },
      })
      assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_0'])
    },

  'whichever answer of a release is lost, releasing again leaves the branch without the claim':
    async (scene) => {
      const ref = await branchInUse(scene)
      await eachAnswerLost(scene, {
        prepare: async (nth) => {
          await scene.claim(ref, `dpl_${nth}`)
          return ref
        },
        act: async (driver, ref, nth) =>
          driver.sharing?.releaseClaim({ ref, deploymentId: `dpl_${nth}` }, driverCall()),
        check: async (ref, nth) => {
          assert(!(await scene.claims(ref))?.includes(`dpl_${nth}`), 'the claim is still there')
        },
      })
      await scene.release(ref, 'dpl_0')
      const record = await scene.record(ref)
      assert.deepEqual(record?.claims, [])
      assert(record.unclaimedSince, 'no time was noted')
      assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_0'])
    },

  'whichever answer of a reset is lost, claiming again resets it once': async (scene) =>
    eachAnswerLost(scene, {
      prepare: async () => branchInUse(scene),
      act: async (driver, ref, nth) => claim(scene, { driver, ref, nth, onPush: 'reset' }),
      check: async (ref, nth) => {
        assert.deepEqual(await scene.lines(ref), LINES)
        await scene.addLine(ref, 'of the new one')
        await claim(scene, { driver: scene.driver, ref, nth, onPush: 'reset' })
        assert.deepEqual(await scene.lines(ref), [...LINES, 'of the new one'])
        assert.deepEqual(await scene.claims(ref), ['dpl_0', `dpl_${nth}`])
      },
    }),

  'whichever answer of the deletion of an unclaimed branch is lost, deleting again leaves nothing':
    async (scene) =>
      eachAnswerLost(scene, {
        prepare: async () => {
          const ref = await branchInUse(scene)
          await scene.release(ref, 'dpl_0')
          return ref
        },
        act: async (driver, ref) =>
          driver.sharing?.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall()),
        check: async (ref) => assert.deepEqual(await scene.subject.remains(ref.name), []),
      }),

  'a half-made branch stays while somebody has a claim on it, and can be deleted at once without':
    async (scene) => {
      let halfMade = 0
      await eachAnswerLost(scene, {
        prepare: async () => scene.newSharedRef(),
        act: async (driver, ref, nth) => claim(scene, { driver, ref, nth, onPush: 'reuse' }),
        again: async (ref, nth) => {
          const record = await scene.record(ref)
          if (!record || record.complete) return
          halfMade += 1
          const anHourMs = 3_600_000
          assert.deepEqual(await scene.claims(ref), [`dpl_${nth}`])
          assert.equal(await scene.deleteUnclaimed(ref, 0), false)
          await scene.release(ref, `dpl_${nth}`)
          assert.equal(await scene.deleteUnclaimed(ref, anHourMs), true)
          assert.deepEqual(await scene.subject.remains(ref.name), [])
        },
        check: async () => {},
      })
      assert(halfMade > 0, 'no claim was cut off half-way')
    },
})

interface Story<Ref extends BranchRef> {
  readonly prepare: (nth: number) => Promise<Ref>
  readonly act: (driver: ResourceDriver, ref: Ref, nth: number) => Promise<unknown>
  /** Left out: the same again. */
  readonly again?: (ref: Ref, nth: number) => Promise<unknown>
  readonly check: (ref: Ref, nth: number) => Promise<void>
}

/** Does `act` once for each of its requests with the answer to that one lost, then again, and checks. */
async function eachAnswerLost<Ref extends BranchRef>(
  { subject, driver }: Scene,
  { prepare, act, again = async (ref, nth) => act(driver, ref, nth), check }: Story<Ref>,
): Promise<void> {
  let [lost, isLast] = [0, false]
  await forEachOf([...Array(MOST_REQUESTS).keys()], async (index) => {
    if (isLast) return
    const nth = index + 1
    const ref = await prepare(nth)
    const wasLost = await subject.loseAnswer?.(nth, async (cut) =>
      act(cut, ref, nth).catch(() => {}),
    )
    if (wasLost) lost += 1
    else isLast = true
    await again(ref, nth)
    await check(ref, nth)
  })
  assert(lost > 0, 'no answer was lost')
  assert(isLast, `the call makes more than ${MOST_REQUESTS} requests`)
}

const MOST_REQUESTS = 100

async function branchInUse(scene: Scene): Promise<BranchRef> {
  const ref = scene.newSharedRef()
  await scene.claim(ref, 'dpl_0')
  await scene.addLine(ref, 'of dpl_0')
  return ref
}

interface Claim {
  readonly driver: ResourceDriver
  readonly ref: BranchRef
  readonly nth: number
  readonly onPush: 'reuse' | 'reset'
}

async function claim({ source }: Scene, { driver, ref, nth, onPush }: Claim): Promise<void> {
  const request = { source, ref, deploymentId: `dpl_${nth}`, onPush }
  await driver.sharing?.claimBranch(request, driverCall())
}
