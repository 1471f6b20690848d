import assert from 'node:assert/strict'
import { branchRef } from '../domain/branch-ref.ts'
import { ActionFailure } from '../domain/failure.ts'
import { failsForGood, failureOf } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { LINES } from './scene.ts'

/** What a branch of one deployment is, the second time included. */
export const branchCases = promises([], {
  'a branch holds what its resource holds, and changes to it stay in it': async (scene) => {
    const [one, other] = [scene.newRef(), scene.newRef()]
    await scene.create(one)
    await scene.create(other)
    await scene.addLine(one, 'three')
    assert.deepEqual(await scene.lines(one), [...LINES, 'three'])
    assert.deepEqual(await scene.lines(other), LINES)
  },

  'creating a branch a second time gives the same branch, with what was written to it': async (
    scene,
  ) => {
    const ref = scene.newRef()
    await scene.create(ref)
    await scene.addLine(ref, 'three')
    await scene.create(ref)
    assert.deepEqual(await scene.lines(ref), [...LINES, 'three'])
  },

  'a branch that was deleted is made anew by a further creation': async (scene) => {
    const ref = scene.newRef()
    await scene.create(ref)
    await scene.addLine(ref, 'three')
    await scene.driver.deleteBranch(ref, driverCall())
    await scene.create(ref)
    assert.deepEqual(await scene.lines(ref), LINES)
  },

  'a creation that was given up while its worker stood still makes nothing': async (scene) => {
    const ref = scene.newRef()
    const confirm = () => Promise.reject(new Error('given up'))
    const call = driverCall({ confirm })
    await failureOf(scene.driver.createBranch({ source: scene.source, ref }, call))
    assert.equal(await scene.record(ref), undefined)
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'a creation asks whether it is still wanted while others are kept out': async (scene) => {
    const ref = scene.newRef()
    let asking = 0
    let most = 0
    const confirm = async () => {
      asking += 1
      most = Math.max(most, asking)
      await scene.record(ref)
      asking -= 1
    }
    const create = async () =>
      scene.driver.createBranch({ source: scene.source, ref }, driverCall({ confirm }))
    await Promise.all([create(), create(), create()])
    assert.equal(most, 1)
  },

  'opening a branch gives the same connection each time': async (scene) => {
    const ref = scene.newRef()
    await scene.create(ref)
    const [one, other] = [await scene.open(ref), await scene.open(ref)]
    assert.equal(other.url.reveal(), one.url.reveal())
    assert.equal(other.password.reveal(), one.password.reveal())
    const place = ({ host, port, user, database }: typeof one) => ({ host, port, user, database })
    assert.deepEqual(place(other), place(one))
  },

  'opening a branch gives what was given out before, while a key is being rotated': async (
    scene,
  ) => {
    const ref = scene.newRef()
    const before = driverCall({ key: 'an old key' })
    await scene.driver.createBranch({ source: scene.source, ref }, before)
    const given = await scene.driver.openBranch(ref, before)
    const rotating = driverCall({ key: 'a new key', olderKeys: ['an old key'] })
    await scene.driver.createBranch({ source: scene.source, ref }, rotating)
    const later = await scene.driver.openBranch(ref, rotating)
    assert.equal(later.url.reveal(), given.url.reveal())
    assert.deepEqual(await scene.subject.readLines(given), LINES)
  },

  'a branch that does not exist cannot be opened, for good': async (scene) => {
    await failsForGood(scene.open(scene.newRef()))
  },

  'deleting a branch leaves nothing, also while somebody is connected to it': async (scene) => {
    const ref = scene.newRef()
    await scene.create(ref)
    await scene.subject.stayConnected(await scene.open(ref))
    await scene.driver.deleteBranch(ref, driverCall())
    assert.deepEqual(await scene.subject.remains(ref.name), [])
    assert.equal(await scene.record(ref), undefined)
  },

  'deleting what is gone, or never was, succeeds and makes nothing': async (scene) => {
    const [gone, never] = [scene.newRef(), scene.newRef()]
    await scene.create(gone)
    await scene.driver.deleteBranch(gone, driverCall())
    for (const ref of [gone, gone, never]) {
      await scene.driver.deleteBranch(ref, driverCall())
      assert.deepEqual(await scene.subject.remains(ref.name), [])
    }
  },

  'deleting a branch leaves its resource and the other branches of it': async (scene) => {
    const [one, other] = [scene.newRef(), scene.newRef()]
    await scene.create(one)
    await scene.create(other)
    await scene.driver.deleteBranch(one, driverCall())
    assert.deepEqual(await scene.lines(other), LINES)
    await scene.create(one)
    assert.deepEqual(await scene.lines(one), LINES)
  },

  'a branch made for another owner is neither taken, opened nor deleted': async (scene) => {
    const ref = scene.newRef()
    await scene.create(ref)
    for (const part of ['installationId', 'deploymentId', 'action'] as const) {
      const stranger = { name: ref.name, owner: { ...ref.owner, [part]: 'another' } }
      await failsForGood(scene.create(stranger), 'branch_owner_mismatch')
      await failsForGood(scene.open(stranger), 'branch_owner_mismatch')
      const deletion = scene.driver.deleteBranch(stranger, driverCall())
      await failsForGood(deletion, 'branch_owner_mismatch')
    }
    assert.deepEqual(await scene.lines(ref), LINES)
  },

  'a list tells of each branch whose it is, of what, since when, by whom, and that it is complete':
    async (scene) => {
      const before = Date.now()
      const refs = [scene.newRef(), scene.newRef({ installationId: 'icfg_2', action: 'other' })]
      for (const [index, ref] of refs.entries()) {
        const call = driverCall({ holdpoint: `holdpoint ${index}` })
        await scene.driver.createBranch({ source: scene.source, ref }, call)
        const { createdAt, ...record } = (await scene.record(ref)) ?? {}
        const { source } = scene
        const holdpoint = `holdpoint ${index}`
        assert.deepEqual(record, { ref, source, holdpoint, complete: true })
        const time = createdAt?.getTime() ?? 0
        assert(time >= before - CLOCK_SKEW_MS && time <= Date.now() + CLOCK_SKEW_MS)
      }
    },

  'a repeated creation by another Holdpoint does not take the branch over': async (scene) => {
    const ref = scene.newRef()
    const create = async (holdpoint: string) =>
      scene.driver.createBranch({ source: scene.source, ref }, driverCall({ holdpoint }))
    await create('the first')
    await create('the second')
    assert.equal((await scene.record(ref))?.holdpoint, 'the first')
  },

  'the branch of a resource that does not exist fails for good and leaves nothing': async (
    scene,
  ) => {
    const ref = scene.newRef()
    await failsForGood(scene.create(ref, 'not_there'), 'source_missing')
    assert.deepEqual(await scene.subject.remains(ref.name), [])
  },

  'a resource deleted during a creation leaves a whole branch, or one that fails for good': async (
    scene,
  ) => {
    for (const moment of ['confirm', 'progress'] as const) {
      const source = await scene.subject.makeSource(LINES)
      const ref = scene.newRef({ resourceId: source })
      let deletion: Promise<void> | undefined
      const deleteSource = () => (deletion ??= scene.subject.deleteSource(source))
      const call =
        moment === 'confirm'
          ? driverCall({ confirm: async () => deleteSource() })
          : driverCall({ onProgress: () => void deleteSource() })
      await scene.driver.createBranch({ source, ref }, call).catch(() => {})
      await deleteSource()
      if ((await scene.record(ref))?.complete === true)
        assert.deepEqual(await scene.lines(ref), LINES)
      else await failsForGood(scene.create(ref, source), 'source_missing')
      await scene.driver.deleteBranch(ref, driverCall())
      assert.deepEqual(await scene.subject.remains(ref.name), [])
    }
  },

  'no failure and no progress tells a password or a connection string': async (scene) => {
    const told: string[] = []
    const ref = scene.newRef()
    const call = driverCall({ onProgress: (text) => told.push(text) })
    await scene.driver.createBranch({ source: scene.source, ref }, call)
    const { password } = await scene.driver.openBranch(ref, call)
    const stranger = { name: ref.name, owner: { ...ref.owner, action: 'another' } }
    const missing = branchRef({ ...ref.owner, deploymentId: 'another' })
    for (const failing of [
      async () => scene.driver.openBranch(stranger, call),
      async () => scene.driver.openBranch(missing, call),
      async () => scene.driver.createBranch({ source: 'not_there', ref: missing }, call),
    ]) {
      const failure = await failureOf(failing())
      assert(failure instanceof ActionFailure)
      told.push(failure.message)
    }
    assert(!told.join('\n').includes(password.reveal()))
    assert.doesNotMatch(told.join('\n'), /:\/\//)
  },

  'a check-up of a provider in order finds no error': async ({ driver }) => {
    const findings = await driver.check()
    assert.deepEqual(
      findings.filter(({ level, fix }) => level === 'error' || (level !== 'ok' && !fix)),
      [],
    )
  },
})

/** What is made by hand under the name of a branch, or looks like one. */
export const lookalikeCases = promises(['makeLookalike'], {
  'a list tells of all branches and of nothing else': async (scene) => {
    const refs = [scene.newRef(), scene.newRef(), scene.newRef()]
    const lookalikes = [scene.newRef(), scene.newRef()]
    const names = new Set([...refs, ...lookalikes].map(({ name }) => name))
    await Promise.all(refs.map(async (ref) => scene.create(ref)))
    const removals = [
      await scene.subject.makeLookalike?.(lookalikes[0]?.name ?? '', undefined),
      await scene.subject.makeLookalike?.(lookalikes[1]?.name ?? '', 'mine, keep'),
    ]
    try {
      const listed = await scene.driver.listBranches(driverCall())
      assert.deepEqual(
        new Set(listed.map(({ ref }) => ref.name).filter((name) => names.has(name))),
        new Set(refs.map(({ name }) => name)),
      )
      assert(listed.every(({ ref }) => ref.name !== scene.source))
    } finally {
      for (const remove of removals) await remove?.()
    }
  },

  'what somebody else made under the name of a branch is neither taken, opened nor deleted': async (
    scene,
  ) => {
    for (const words of [undefined, 'mine, keep', '{"holdpoint":null}', '{"holdpoint":']) {
      const ref = scene.newRef()
      const remove = await scene.subject.makeLookalike?.(ref.name, words)
      try {
        const before = await scene.subject.remains(ref.name)
        assert.notDeepEqual(before, [])
        await failsForGood(scene.create(ref), 'branch_owner_mismatch')
        await failsForGood(scene.open(ref), 'branch_owner_mismatch')
        await failsForGood(scene.driver.deleteBranch(ref, driverCall()), 'branch_owner_mismatch')
        assert.deepEqual(await scene.subject.remains(ref.name), before)
      } finally {
        await remove?.()
      }
    }
  },
})

const CLOCK_SKEW_MS = 2_000
