import assert from 'node:assert/strict'
import { once } from 'node:events'
import { failureOf } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { inUse, LINES } from './scene.ts'

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
