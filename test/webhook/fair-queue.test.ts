import { describe, expect, test } from 'vitest'
import { fairQueue, Overloaded } from '../../src/webhook/fair-queue.ts'

describe('a fair queue', () => {
  /** A task that ends when it is told to. */
  function heldTask() {
    const { promise, resolve, reject } = withResolvers<string>()
    const task = { begun: false, resolve, reject, run: () => ((task.begun = true), promise) }
    return task
  }
  const begun = (tasks: readonly { begun: boolean }[]) => tasks.map((task) => task.begun)
  const bounds = { atOnce: 2, atOnceEach: 2, waiting: 2, waitMs: 60_000 }

  test('runs so many at once, and the others in the order in which they came', async () => {
    const queue = fairQueue(bounds)
    const tasks = [heldTask(), heldTask(), heldTask(), heldTask()] as const
    const [first, second, third, fourth] = tasks
    const runs = tasks.map((task) => queue.run('icfg_A', task.run))
    expect(begun(tasks)).toEqual([true, true, false, false])
    second.resolve('second')
    expect(await runs[1]).toBe('second')
    expect(begun(tasks)).toEqual([true, true, true, false])
    third.resolve('third')
    expect(await runs[2]).toBe('third')
    expect(begun(tasks)).toEqual([true, true, true, true])
    first.resolve('first')
    fourth.resolve('fourth')
    expect(await Promise.all(runs)).toEqual(['first', 'second', 'third', 'fourth'])
  })

  test('runs no more of one owner than its share, though there is room for others', async () => {
    const queue = fairQueue({ ...bounds, atOnce: 3, atOnceEach: 1 })
    const tasks = [heldTask(), heldTask(), heldTask()] as const
    const runs = tasks.map((task, index) => queue.run(index < 2 ? 'icfg_A' : 'icfg_B', task.run))
    expect(begun(tasks)).toEqual([true, false, true])
    tasks[2].resolve('B')
    await runs[2]
    expect(begun(tasks)).toEqual([true, false, true])
    tasks[0].resolve('A')
    await runs[0]
    await expect.poll(() => begun(tasks)).toEqual([true, true, true])
  })

  test('lets owners take turns, however many of one came before', async () => {
    const queue = fairQueue({ ...bounds, atOnce: 1, waiting: 10 })
    const order: string[] = []
    const first = heldTask()
    const runs = [queue.run('icfg_A', first.run)]
    for (const [owner, name] of [
      ['icfg_A', 'A1'],
      ['icfg_A', 'A2'],
      ['icfg_A', 'A3'],
      ['icfg_B', 'B1'],
      ['icfg_B', 'B2'],
      ['icfg_C', 'C1'],
    ] as const) {
      runs.push(queue.run(owner, () => Promise.resolve(`${order.push(name)}`)))
    }
    first.resolve('done')
    await Promise.all(runs)
    expect(order.toSorted()).toEqual(['A1', 'A2', 'A3', 'B1', 'B2', 'C1'])
    const secondOfA = order.indexOf('A2')
    expect(Math.max(order.indexOf('B1'), order.indexOf('C1'))).toBeLessThan(secondOfA)
  })

  test('lets a crowd go one by one and with pauses while others are about, and all at once when it is alone', async () => {
    for (const [others, most] of [
      [['icfg_B'], 1],
      [[], 4],
    ] as const) {
      const queue = fairQueue({ ...bounds, atOnce: 10, atOnceEach: 4, waiting: 100 })
      for (const other of others) await queue.run(other, () => Promise.resolve())
      let [running, greatest, ended] = [0, 0, 0]
      const first = Array.from({ length: 4 }, heldTask)
      const runs: Promise<unknown>[] = first.map((task) => queue.run('icfg_A', task.run))
      const task = async () => {
        greatest = Math.max(greatest, ++running)
        await new Promise((resolve) => setTimeout(resolve, 5))
        running -= 1
        ended += 1
      }
      for (let each = 0; each < 12; each += 1) runs.push(queue.run('icfg_A', task))
      for (const { resolve } of first) resolve('')
      await Promise.all(runs)
      expect({ greatest, ended }).toEqual({ greatest: most, ended: 12 })
    }
  })

  test('gives its turn to another owner while a crowd pauses', async () => {
    const queue = fairQueue({ ...bounds, atOnce: 1, atOnceEach: 1, waiting: 100 })
    await queue.run('icfg_B', () => Promise.resolve())
    const held = heldTask()
    const runs: Promise<unknown>[] = [queue.run('icfg_A', held.run)]
    const order: string[] = []
    for (const name of ['A1', 'A2'])
      runs.push(queue.run('icfg_A', () => Promise.resolve(order.push(name))))
    runs.push(queue.run('icfg_B', () => Promise.resolve(order.push('B'))))
    held.resolve('')
    await Promise.all(runs)
    expect(order).toEqual(['B', 'A1', 'A2'])
  })

  test('when no more can wait, refuses the newest of the longest line', async () => {
    const queue = fairQueue({ ...bounds, atOnce: 1, waiting: 3 })
    const first = heldTask()
    const answers: string[] = []
    const run = async (owner: string, name: string) => {
      try {
        answers.push(await queue.run(owner, () => Promise.resolve(name)))
      } catch (error) {
        answers.push(`${(error as Error).name}: ${name}`)
      }
    }
    const begunFirst = queue.run('icfg_A', first.run)
    const runs = [run('icfg_A', 'A1'), run('icfg_A', 'A2'), run('icfg_A', 'A3')]
    runs.push(run('icfg_B', 'B1'))
    await expect.poll(() => answers).toEqual(['Overloaded: A3'])
    runs.push(run('icfg_A', 'A4'))
    await expect.poll(() => answers).toEqual(['Overloaded: A3', 'Overloaded: A4'])
    first.resolve('done')
    await Promise.all([begunFirst, ...runs])
    expect(answers.slice(2)).toEqual(['B1', 'A1', 'A2'])
  })

  test('refuses who has waited for too long, without doing its work later', async () => {
    const queue = fairQueue({ ...bounds, atOnce: 1, waitMs: 20 })
    const [held, late] = [heldTask(), heldTask()]
    const run = queue.run('icfg_A', held.run)
    await expect(queue.run('icfg_A', late.run)).rejects.toThrow(Overloaded)
    held.resolve('done')
    expect(await run).toBe('done')
    expect(late.begun).toBe(false)
    expect(await queue.run('icfg_A', () => Promise.resolve('free again'))).toBe('free again')
  })

  test('hands on what a task throws, and gives its turn to the next', async () => {
    const queue = fairQueue({ ...bounds, atOnce: 1 })
    const [broken, next] = [heldTask(), heldTask()]
    const runs = [queue.run('icfg_A', broken.run), queue.run('icfg_A', next.run)]
    broken.reject(new Error('broke'))
    await expect(runs[0]).rejects.toThrow('broke')
    next.resolve('done')
    expect(await runs[1]).toBe('done')
    expect(await queue.run('icfg_A', () => Promise.resolve('free again'))).toBe('free again')
  })
})

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<Value>((...both) => ([resolve, reject] = both))
  return { promise, resolve, reject }
}
