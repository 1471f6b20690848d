import { describe, expect, test } from 'vitest'
import { bodyRoom } from '../../src/webhook/body-room.ts'

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
