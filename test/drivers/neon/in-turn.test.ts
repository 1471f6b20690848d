import { expect, test } from 'vitest'
import { createTurns } from '../../../src/drivers/neon/in-turn.ts'

const { signal } = new AbortController()

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('work of one name is done one after the other, and of another name meanwhile', async () => {
  const inTurn = createTurns()
  const { open, opened } = gate()
  const done: string[] = []
  const first = inTurn('a', signal, async () => {
    await opened
    done.push('first')
  })
  const second = inTurn('a', signal, async () => done.push('second'))
  await inTurn('b', signal, async () => done.push('other'))
  open()
  await Promise.all([first, second])
  expect(done).toEqual(['other', 'first', 'second'])
})

test('work that fails lets the next one in', async () => {
  const inTurn = createTurns()
  await expect(inTurn('a', signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await inTurn('a', signal, async () => 'next')).toBe('next')
})

test('who gives up waiting does nothing, and lets nobody overtake those before', async () => {
  const inTurn = createTurns()
  const { open, opened } = gate()
  const done: string[] = []
  const cancel = new AbortController()
  const first = inTurn('a', signal, async () => {
    await opened
    done.push('first')
  })
  const second = inTurn('a', cancel.signal, async () => done.push('second'))
  cancel.abort(new Error('given up'))
  await expect(second).rejects.toThrow('given up')
  const third = inTurn('a', signal, async () => done.push('third'))
  open()
  await Promise.all([first, third])
  expect(done).toEqual(['first', 'third'])
})
