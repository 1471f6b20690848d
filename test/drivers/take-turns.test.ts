import { describe, expect, test } from 'vitest'
import { createTurns } from '../../src/drivers/take-turns.ts'

const unlimited = new AbortController().signal

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}

test('works of one name never overlap and keep their order; those of two names do not wait', async () => {
  const takeTurns = createTurns()
  const order: string[] = []
  const first = gate()
  const works = [
    takeTurns('a', unlimited, async () => {
      await first.opened
      order.push('first')
    }),
    takeTurns('a', unlimited, async () => void order.push('second')),
  ]
  await takeTurns('b', unlimited, async () => void order.push('other name'))
  first.open()
  await Promise.all(works)
  expect(order).toEqual(['other name', 'first', 'second'])
})

test('a work that fails lets the next one in, and its failure is its own', async () => {
  const takeTurns = createTurns()
  const failure = new Error('of the first')
  const first = takeTurns('a', unlimited, () => Promise.reject(failure))
  const second = takeTurns('a', unlimited, async () => 'in')
  await expect(first).rejects.toBe(failure)
  expect(await second).toBe('in')
})

test('who is aborted while he waits leaves at once, never begins, and lets nobody in earlier', async () => {
  const takeTurns = createTurns()
  const order: string[] = []
  const first = gate()
  const stop = new AbortController()
  const working = takeTurns('a', unlimited, async () => {
    await first.opened
    order.push('first')
  })
  const aborted = takeTurns('a', stop.signal, async () => void order.push('aborted'))
  const third = takeTurns('a', unlimited, async () => void order.push('third'))
  const reason = new Error('given up')
  stop.abort(reason)
  await expect(aborted).rejects.toBe(reason)
  expect(order).toEqual([])
  first.open()
  await Promise.all([working, third])
  expect(order).toEqual(['first', 'third'])
})

describe('in turn', () => {
  const { signal } = new AbortController()

  function gate() {
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    return { open, opened }
  }

  test('work of one name is done one after the other, and of another name meanwhile', async () => {
    const takeTurns = createTurns()
    const { open, opened } = gate()
    const done: string[] = []
    const first = takeTurns('a', signal, async () => {
      await opened
      done.push('first')
    })
    const second = takeTurns('a', signal, async () => done.push('second'))
    await takeTurns('b', signal, async () => done.push('other'))
    open()
    await Promise.all([first, second])
    expect(done).toEqual(['other', 'first', 'second'])
  })

  test('work that fails lets the next one in', async () => {
    const takeTurns = createTurns()
    await expect(takeTurns('a', signal, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    )
    expect(await takeTurns('a', signal, async () => 'next')).toBe('next')
  })

  test('who gives up waiting does nothing, and lets nobody overtake those before', async () => {
    const takeTurns = createTurns()
    const { open, opened } = gate()
    const done: string[] = []
    const cancel = new AbortController()
    const first = takeTurns('a', signal, async () => {
      await opened
      done.push('first')
    })
    const second = takeTurns('a', cancel.signal, async () => done.push('second'))
    cancel.abort(new Error('given up'))
    await expect(second).rejects.toThrow('given up')
    const third = takeTurns('a', signal, async () => done.push('third'))
    open()
    await Promise.all([first, third])
    expect(done).toEqual(['first', 'third'])
  })
})
