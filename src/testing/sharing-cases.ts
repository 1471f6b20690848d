import assert from 'node:assert/strict'
import { once } from 'node:events'
import { failsForGood, failureOf } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { LINES, type Scene } from './scene.ts'

const AN_HOUR_MS = 3_600_000
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

/** Work that nobody else may disturb. */
export const exclusiveCases = promises(['sharing'], {
  'work gets the branch to itself, can open it, and its result is answered': async (scene) => {
    const ref = await inUse(scene)
    const lines = await scene.sharing.exclusively(ref, driverCall(), async (signal) => {
      const connection = await scene.driver.openBranch(ref, driverCall({ signal }))
      return await scene.subject.readLines(connection)
    })
    assert.deepEqual(lines, [...LINES, 'of dpl_1'])
  },

  'works on one branch never overlap, and on two branches they do': async (scene) => {
    const [ref, other] = [await inUse(scene), await inUse(scene)]
    let [at, most] = [0, 0]
    const work = async () => {
      at += 1
      most = Math.max(most, at)
      await scene.lines(ref)
      at -= 1
    }
    await Promise.all(
      Array.from({ length: 4 }, async () => scene.sharing.exclusively(ref, driverCall(), work)),
    )
    assert.equal(most, 1)
    await scene.sharing.exclusively(ref, driverCall(), async () =>
      scene.sharing.exclusively(other, driverCall(), async () => {}),
    )
  },

  'no reset, deletion or other work gets in before the work is done': async (scene) => {
    const ref = await inUse(scene)
    const order: string[] = []
    const note = (word: string) => () => void order.push(word)
    const waiting: Promise<void>[] = []
    await scene.sharing.exclusively(ref, driverCall(), async () => {
      waiting.push(
        scene.claim(ref, 'dpl_2', 'reset').then(note('claimed')),
        scene.deleteUnclaimed(ref, 0).then(note('deletion answered')),
        scene.sharing.exclusively(ref, driverCall(), async () => note('other work')()),
      )
      for (let times = 0; times < 3; times += 1)
        assert.deepEqual(await scene.lines(ref), [...LINES, 'of dpl_1'])
      assert.deepEqual(order, [])
    })
    await Promise.all(waiting)
    assert.deepEqual(order.sort(), ['claimed', 'deletion answered', 'other work'])
    assert.deepEqual(await scene.lines(ref), LINES)
  },

  'a failure of the work is thrown as it is, and the next work gets in': async (scene) => {
    const ref = await inUse(scene)
    const failure = new Error('of the work')
    const work = () => Promise.reject(failure)
    assert.equal(await failureOf(scene.sharing.exclusively(ref, driverCall(), work)), failure)
    assert.equal(await scene.sharing.exclusively(ref, driverCall(), async () => 'in'), 'in')
  },

  'a canceled call ends the work, and the next work gets in': async (scene) => {
    const ref = await inUse(scene)
    const reason = new Error('canceled by the test')
    const cancel = new AbortController()
    let told: unknown
    const call = driverCall({ signal: cancel.signal })
    const canceled = scene.sharing.exclusively(ref, call, async (signal) => {
      assert(!signal.aborted)
      const aborted = once(signal, 'abort')
      cancel.abort(reason)
      await aborted
      told = signal.reason
    })
    assert.equal(await failureOf(canceled), reason)
    assert.equal(told, reason)
    assert.equal(await scene.sharing.exclusively(ref, driverCall(), async () => 'in'), 'in')
  },

  'a call that is canceled while it waits for the branch never begins its work': async (scene) => {
    const ref = await inUse(scene)
    const reason = new Error('canceled by the test')
    const cancel = new AbortController()
    let begun = false
    await scene.sharing.exclusively(ref, driverCall(), async () => {
      const call = driverCall({ signal: cancel.signal })
      const waiting = scene.sharing.exclusively(ref, call, async () => {
        begun = true
      })
      const failure = failureOf(waiting)
      await scene.lines(ref)
      cancel.abort(reason)
      assert.equal(await failure, reason)
    })
    assert.equal(begun, false)
  },
})

/** A branch that dpl_1 claimed and wrote to. */
async function inUse(scene: Scene) {
  const ref = scene.newSharedRef()
  await scene.claim(ref, 'dpl_1')
  await scene.addLine(ref, 'of dpl_1')
  return ref
}

function isNear(time: Date | undefined, beforeMs: number): void {
  assert(time, 'no time was noted')
  assert(time.getTime() >= beforeMs - CLOCK_SKEW_MS && time.getTime() <= Date.now() + CLOCK_SKEW_MS)
}
