import assert from 'node:assert/strict'
import { failsForGood, failureOf } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { inUse, LINES } from './scene.ts'

const CLOCK_SKEW_MS = 2_000
const givenUp = { confirm: () => Promise.reject(new Error('given up')) }

/** Claims, and what becomes of the branch with them. */
export const claimCases = promises(['sharing'], {
  'a first claim makes the branch and is told by the list': async (scene) => {
    const before = Date.now()
    const ref = scene.newSharedRef()
    await scene.claim(ref, 'dpl_1')
    assert.deepEqual(await scene.lines(ref), LINES)
    const { createdAt, claims = [], ...record } = (await scene.record(ref)) ?? {}
    const { source } = scene
    const { holdpoint } = driverCall()
    assert.deepEqual(record, { ref, source, holdpoint, complete: true })
    assert.deepEqual(
      claims.map(({ deploymentId }) => deploymentId),
      ['dpl_1'],
    )
    isNear(createdAt, before)
    isNear(claims[0]?.claimedAt, before)
  },

  'a claim that the branch has already changes nothing': async (scene) => {
    const ref = await inUse(scene)
    const before = await scene.record(ref)
    for (const onPush of ['reuse', 'reset'] as const) await scene.claim(ref, 'dpl_1', onPush)
    assert.deepEqual(await scene.record(ref), before)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
  },

  'a further deployment finds what the earlier ones left, by the same connection': async (
    scene,
  ) => {
    const ref = await inUse(scene)
    const given = await scene.open(ref)
    await scene.claim(ref, 'dpl_2')
    assert.deepEqual(await scene.claims(ref), ['dpl_1', 'dpl_2'])
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
    assert.equal((await scene.open(ref)).url.reveal(), given.url.reveal())
  },

  'two deployments that claim a branch at once share one': async (scene) => {
    const ref = scene.newSharedRef()
    await Promise.all([scene.claim(ref, 'dpl_1'), scene.claim(ref, 'dpl_2')])
    assert.deepEqual(await scene.claims(ref), ['dpl_1', 'dpl_2'])
    assert.deepEqual(await scene.lines(ref), LINES)
  },

  'eight deployments that claim a branch at once all have their claims and the same connection':
    async (scene) => {
      const ref = scene.newSharedRef()
      const deployments = Array.from({ length: 8 }, (_none, index) => `dpl_${index}`)
      const opened = await Promise.all(
        deployments.map(async (deploymentId) => {
          await scene.claim(ref, deploymentId)
          return (await scene.open(ref)).url.reveal()
        }),
      )
      assert.equal(new Set(opened).size, 1)
      assert.deepEqual(await scene.claims(ref), deployments)
    },

  'eight equal claims at once are one claim': async (scene) => {
    const ref = scene.newSharedRef()
    await Promise.all(Array.from({ length: 8 }, async () => scene.claim(ref, 'dpl_1', 'reset')))
    assert.deepEqual(await scene.claims(ref), ['dpl_1'])
    assert.deepEqual(await scene.lines(ref), LINES)
  },

  'a new claim with reset gives a fresh copy, and leaves the other claims': async (scene) => {
    const ref = await inUse(scene)
    await scene.claim(ref, 'dpl_2', 'reset')
    assert.deepEqual(await scene.lines(ref), LINES)
    assert.deepEqual(await scene.claims(ref), ['dpl_1', 'dpl_2'])
    assert.equal((await scene.record(ref))?.complete, true)
  },

  'no claim that the branch has already resets it, whoever repeats it': async (scene) => {
    const ref = await inUse(scene)
    await scene.claim(ref, 'dpl_2', 'reset')
    await scene.addLine(ref, 'of dpl_2')
    for (const deploymentId of ['dpl_2', 'dpl_1', 'dpl_2'])
      await scene.claim(ref, deploymentId, 'reset')
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_2'])
  },

  'a deployment that gave its claim up and claims again resets again': async (scene) => {
    const ref = await inUse(scene)
    await scene.release(ref, 'dpl_1')
    await scene.claim(ref, 'dpl_1', 'reset')
    assert.deepEqual(await scene.lines(ref), LINES)
  },

  'a reset keeps the way in that was given out, while a key is being rotated': async (scene) => {
    const ref = scene.newSharedRef()
    const { source } = scene
    const before = driverCall({ key: 'an old key' })
    const request = { source, ref, deploymentId: 'dpl_1', onPush: 'reset' } as const
    await scene.sharing.claimBranch(request, before)
    const given = await scene.driver.openBranch(ref, before)
    const rotating = driverCall({ key: 'a new key', olderKeys: ['an old key'] })
    await scene.sharing.claimBranch({ ...request, deploymentId: 'dpl_2' }, rotating)
    assert.deepEqual(await scene.subject.readLines(given), LINES)
    const later = await scene.driver.openBranch(ref, rotating)
    assert.equal(later.url.reveal(), given.url.reveal())
  },

  'a reset that was given up, or whose resource is gone, leaves the branch as it was': async (
    scene,
  ) => {
    const source = await scene.subject.makeSource(LINES)
    const ref = scene.newSharedRef({ resourceId: source })
    const request = { source, ref, deploymentId: 'dpl_2', onPush: 'reset' } as const
    await scene.sharing.claimBranch({ ...request, deploymentId: 'dpl_1' }, driverCall())
    await scene.addLine(ref, 'of dpl_1')
    const before = await scene.record(ref)
    await failureOf(scene.sharing.claimBranch(request, driverCall(givenUp)))
    await scene.subject.deleteSource(source)
    await failsForGood(scene.sharing.claimBranch(request, driverCall()), 'source_missing')
    assert.deepEqual(await scene.record(ref), before)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
    await scene.sharing.claimBranch({ ...request, onPush: 'reuse' }, driverCall())
    assert.deepEqual(await scene.claims(ref), ['dpl_1', 'dpl_2'])
  },

  'a claim that was given up while its worker stood still writes and makes nothing': async (
    scene,
  ) => {
    const [missing, standing] = [scene.newSharedRef(), await inUse(scene)]
    const { source } = scene
    for (const ref of [missing, standing]) {
      const request = { source, ref, deploymentId: 'dpl_2', onPush: 'reuse' } as const
      await failureOf(scene.sharing.claimBranch(request, driverCall(givenUp)))
    }
    assert.deepEqual(await scene.subject.remains(missing.name), [])
    assert.deepEqual(await scene.claims(standing), ['dpl_1'])
  },

  'git branches and projects have branches of their own': async (scene) => {
    const ref = await inUse(scene)
    for (const changes of [{ gitBranch: 'another' }, { projectId: 'another' }]) {
      const other = scene.newSharedRef({ ...ref.owner, ...changes })
      await scene.claim(other, 'dpl_1')
      assert.deepEqual(await scene.lines(other), LINES)
    }
    assert.deepEqual(await scene.claims(ref), ['dpl_1'])
  },
})

function isNear(time: Date | undefined, beforeMs: number): void {
  assert(time, 'no time was noted')
  assert(time.getTime() >= beforeMs - CLOCK_SKEW_MS && time.getTime() <= Date.now() + CLOCK_SKEW_MS)
}
