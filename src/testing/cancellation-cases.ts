import assert from 'node:assert/strict'
import { failureOf, forEachOf } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { LINES } from './scene.ts'

const reason = new Error('canceled by the test')

/** Calls that are canceled, wherever they are. */
export const cancellationCases = promises([], {
  'a call that is already canceled does nothing and throws the reason': async (scene) => {
    const ref = scene.newRef()
    const call = driverCall({ signal: AbortSignal.abort(reason) })
    const { driver, source } = scene
    assert.equal(await failureOf(driver.createBranch({ source, ref }, call)), reason)
    assert.equal(await failureOf(driver.openBranch(ref, call)), reason)
    assert.equal(await failureOf(driver.deleteBranch(ref, call)), reason)
    assert.equal(await failureOf(driver.listBranches(call)), reason)
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'a creation that is canceled when it asks whether it is wanted makes nothing': async (scene) => {
    const ref = scene.newRef()
    const cancel = new AbortController()
    const confirm = async () => cancel.abort(reason)
    const call = driverCall({ confirm, signal: cancel.signal })
    const creation = scene.driver.createBranch({ source: scene.source, ref }, call)
    assert.equal(await failureOf(creation), reason)
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'a deletion during a canceled creation leaves nothing': async (scene) => {
    const ref = scene.newRef()
    const cancel = new AbortController()
    const call = driverCall({ signal: cancel.signal, onProgress: () => cancel.abort(reason) })
    const creation = scene.driver.createBranch({ source: scene.source, ref }, call)
    await Promise.all([creation.catch(() => {}), scene.driver.deleteBranch(ref, driverCall())])
    await scene.driver.deleteBranch(ref, driverCall())
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'wherever a creation is canceled, creating again completes it and deleting leaves nothing':
    async (scene) => {
      const durationMs = await durationOf(async () => scene.create(scene.newRef()))
      await forEachOf(MOMENTS, async (moment) => {
        const ref = scene.newRef()
        await canceled(moment * durationMs, async (signal) =>
          scene.driver.createBranch({ source: scene.source, ref }, driverCall({ signal })),
        )
        await scene.create(ref)
        assert.deepEqual(await scene.lines(ref), LINES)
        await scene.driver.deleteBranch(ref, driverCall())
        assert.deepEqual(await scene.subject.remains(ref.name), [])
      })
    },

  'wherever a deletion is canceled, what is left is not given out half, and goes when asked again':
    async (scene) => {
      const first = scene.newRef()
      await scene.create(first)
      const durationMs = await durationOf(async () =>
        scene.driver.deleteBranch(first, driverCall()),
      )
      await forEachOf(MOMENTS, async (moment) => {
        const ref = scene.newRef()
        await scene.create(ref)
        await canceled(moment * durationMs, async (signal) =>
          scene.driver.deleteBranch(ref, driverCall({ signal })),
        )
        const record = await scene.record(ref)
        if (record?.complete === true) assert.deepEqual(await scene.lines(ref), LINES)
        else await failureOf(scene.open(ref))
        await scene.driver.deleteBranch(ref, driverCall())
        assert.deepEqual(await scene.subject.remains(ref.name), [])
      })
    },
})

export const canceledSharingCases = promises(['sharing'], {
  'a call for a shared branch that is already canceled does nothing and throws the reason': async (
    scene,
  ) => {
    const { sharing, source } = scene
    const ref = scene.newSharedRef()
    const deploymentId = 'dpl_1'
    const call = driverCall({ signal: AbortSignal.abort(reason) })
    const work = () => Promise.reject(new Error('it was done'))
    const request = { source, ref, deploymentId, onPush: 'reuse', unclaimedForMs: 0 } as const
    assert.equal(await failureOf(sharing.claimBranch(request, call)), reason)
    assert.equal(await failureOf(sharing.releaseClaim(request, call)), reason)
    assert.equal(await failureOf(sharing.deleteUnclaimed(request, call)), reason)
    assert.equal(await failureOf(sharing.exclusively(ref, call, work)), reason)
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'a reset that is canceled when it tells its progress is not complete until it is claimed again':
    async (scene) => {
      const ref = scene.newSharedRef()
      await scene.claim(ref, 'dpl_1')
      await scene.addLine(ref, 'of before')
      const cancel = new AbortController()
      const call = driverCall({ signal: cancel.signal, onProgress: () => cancel.abort(reason) })
      const { source, sharing } = scene
      const request = { source, ref, deploymentId: 'dpl_2', onPush: 'reset' } as const
      await sharing.claimBranch(request, call).catch(() => {})
      const record = await scene.record(ref)
      if (record?.complete === true) assert.deepEqual(await scene.lines(ref), LINES)
      else await failureOf(scene.open(ref))
      await scene.claim(ref, 'dpl_2', 'reset')
      assert.deepEqual(await scene.lines(ref), LINES)
      assert.deepEqual(await scene.claims(ref), ['dpl_1', 'dpl_2'])
    },

  'wherever a reset is canceled, nobody gets the branch of before, and claiming again completes it':
    async (scene) => {
      const durationMs = await durationOf(async () => scene.claim(scene.newSharedRef(), 'dpl_1'))
      await forEachOf(MOMENTS, async (moment) => {
        const ref = scene.newSharedRef()
        await scene.claim(ref, 'dpl_1')
        await scene.addLine(ref, 'of before')
        await canceled(moment * durationMs, async (signal) => {
          const { source, sharing } = scene
          const request = { source, ref, deploymentId: 'dpl_2', onPush: 'reset' } as const
          await sharing.claimBranch(request, driverCall({ signal }))
        })
        const record = await scene.record(ref)
        if (record?.complete === true) {
          const claimed = record.claims?.some(({ deploymentId }) => deploymentId === 'dpl_2')
          assert.deepEqual(await scene.lines(ref), claimed ? LINES : [...LINES, 'of before'])
        }
        await scene.claim(ref, 'dpl_2', 'reset')
        assert.deepEqual(await scene.lines(ref), LINES)
        assert.deepEqual(await scene.claims(ref), ['dpl_1', 'dpl_2'])
      })
    },
})

/** Parts of the time that the call takes when nobody cancels it. */
const MOMENTS = [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95]

async function durationOf(act: () => Promise<void>): Promise<number> {
  const before = performance.now()
  await act()
  return performance.now() - before
}

async function canceled(
  afterMs: number,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const cancel = new AbortController()
  const timer = setTimeout(() => cancel.abort(reason), afterMs)
  await act(cancel.signal).catch(() => {})
  clearTimeout(timer)
}
