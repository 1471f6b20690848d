import { describe, expect, test } from 'vitest'
import { bodyRoom, boundedQueue } from '../../src/webhook/admission.ts'

const KIB = 1024

describe('a room for bodies', () => {
  const room = bodyRoom(64 * KIB)
  const enter = (kib: number) => {
    const place = room.enter(kib * KIB)
    if (!place) throw new Error('There was no place.')
    return place
  }

  test('gives the place of the body that came first to one that comes when it is full', () => {
    const places = [enter(32), enter(32)]
    places.push(enter(16))
    expect(places.map(({ givenUp }) => givenUp.aborted)).toEqual([true, false, false])
    places.push(enter(16))
    expect(places.map(({ givenUp }) => givenUp.aborted)).toEqual([true, false, false, false])
    places.push(enter(64))
    expect(places.map(({ givenUp }) => givenUp.aborted)).toEqual([true, true, true, true, false])
    for (const place of places) place.leave()
  })

  test('counts the least body for 16 KiB, so that their number is bounded too', () => {
    const places = Array.from({ length: 5 }, () => enter(0))
    expect(places.map(({ givenUp }) => givenUp.aborted)).toEqual([true, false, false, false, false])
    for (const place of places) place.leave()
  })

  test('never takes the place of a signed body, and disturbs nobody for one that cannot fit', () => {
    const signed = enter(48)
    signed.keep(48 * KIB)
    signed.keep(48 * KIB)
    const unknown = enter(16)
    expect(room.enter(32 * KIB)).toBeUndefined()
    expect([signed, unknown].map(({ givenUp }) => givenUp.aborted)).toEqual([false, false])
    enter(16).leave()
    expect([signed, unknown].map(({ givenUp }) => givenUp.aborted)).toEqual([false, true])
    signed.leave()
  })

  test('counts a signed body for what it came to, and not for what it might have', () => {
    const signed = enter(64)
    signed.keep(20 * KIB)
    expect(room.enter(45 * KIB)).toBeUndefined()
    const other = enter(44)
    enter(44).leave()
    expect(other.givenUp.aborted).toBe(true)
    signed.leave()
  })

  test('counts a body once, however often and in whatever order its place is kept and left', () => {
    const first = enter(64)
    const second = enter(64)
    first.keep(64 * KIB)
    first.leave()
    second.keep(64 * KIB)
    second.leave()
    second.leave()
    second.keep(64 * KIB)
    const places = [enter(32), enter(32)]
    expect(places.map(({ givenUp }) => givenUp.aborted)).toEqual([false, false])
    expect(enter(64).givenUp.aborted).toBe(false)
    expect(places.map(({ givenUp }) => givenUp.aborted)).toEqual([true, true])
  })
})

describe('a bounded queue', () => {
  /** A task that ends when it is told to. */
  function heldTask() {
    const { promise, resolve, reject } = withResolvers<string>()
    const task = { begun: false, resolve, reject, run: () => ((task.begun = true), promise) }
    return task
  }
  const begun = (tasks: readonly { begun: boolean }[]) => tasks.map((task) => task.begun)

  test('runs so many at once, the others in the order in which they came, and says when it is full', async () => {
    const queue = boundedQueue({ atOnce: 2, waiting: 2 })
    const tasks = [heldTask(), heldTask(), heldTask(), heldTask()] as const
    const [first, second, third, fourth] = tasks
    const fullness: boolean[] = []
    const runs = tasks.map((task) => {
      fullness.push(queue.full)
      return queue.run(task.run)
    })
    expect([...fullness, queue.full]).toEqual([false, false, false, false, true])
    expect(begun(tasks)).toEqual([true, true, false, false])
    second.resolve('second')
    expect(await runs[1]).toBe('second')
    expect(queue.full).toBe(false)
    expect(begun(tasks)).toEqual([true, true, true, false])
    third.resolve('third')
    expect(await runs[2]).toBe('third')
    expect(begun(tasks)).toEqual([true, true, true, true])
    first.resolve('first')
    fourth.resolve('fourth')
    expect(await Promise.all(runs)).toEqual(['first', 'second', 'third', 'fourth'])
    expect(queue.full).toBe(false)
  })

  test('hands on what a task throws, and gives its turn to the next', async () => {
    const queue = boundedQueue({ atOnce: 1, waiting: 1 })
    const [broken, next] = [heldTask(), heldTask()]
    const runs = [queue.run(broken.run), queue.run(next.run)]
    broken.reject(new Error('broke'))
    await expect(runs[0]).rejects.toThrow('broke')
    next.resolve('done')
    expect(await runs[1]).toBe('done')
    expect(await queue.run(() => Promise.resolve('free again'))).toBe('free again')
  })
})

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<Value>((...both) => ([resolve, reject] = both))
  return { promise, resolve, reject }
}
