import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinWishes, type Wish } from '../../src/domain/action-event.ts'
import { ActionFailure } from '../../src/domain/failure.ts'

const wish = fc.constantFrom<Wish>('run', 'canceled', 'cleaned')

test('wishes join to the same one in whatever order and however often they come', () => {
  fc.assert(
    fc.property(fc.array(wish, { minLength: 1 }), fc.array(fc.nat()), (wishes, seeds) => {
      const join = (list: Wish[]) => list.reduce(joinWishes, 'run')
      const shuffled = [...wishes, ...wishes].sort(
        (a, b) =>
          (seeds[a.length % (seeds.length || 1)] ?? 0) -
          (seeds[b.length % (seeds.length || 1)] ?? 1),
      )
      expect(join(shuffled)).toBe(join(wishes))
    }),
  )
  expect(joinWishes('cleaned', 'canceled')).toBe('cleaned')
  expect(joinWishes('run', 'canceled')).toBe('canceled')
})

test('a failure keeps its code, its cause and when to try again', () => {
  const cause = new Error('refused')
  const failure = new ActionFailure('busy', 'The server is busy.', {
    retryable: true,
    retryAfterMs: 5,
    cause,
  })
  expect(failure).toMatchObject({
    code: 'busy',
    retryable: true,
    retryAfterMs: 5,
    cause,
    name: 'ActionFailure',
  })
})
