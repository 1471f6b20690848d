import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import { createSeal, keyIdOf, type Place } from '../../src/installations/seal.ts'

const key = (id: string) => ({ id, bytes: randomBytes(32) })
const [one, two] = [key('2026-01'), key('2026_08.b')]
const place: Place = ['installations', 'access_token', 'icfg_1']
const text = 'größe 😀 token'

function refusalOf(action: () => unknown): ActionFailure {
  try {
    action()
  } catch (error) {
    if (error instanceof ActionFailure) return error
    throw error
  }
  throw new Error('It was opened.')
}

test.each(['', 'x', text, 'x'.repeat(100_000)])(
  'a text comes back as it was, and tells nothing in between',
  (plain) => {
    const seal = createSeal([one])
    const sealed = seal.seal(plain, place)
    expect(seal.open(sealed, place)).toBe(plain)
    expect(keyIdOf(sealed)).toBe(one.id)
    if (plain.length > 1) expect(sealed).not.toContain(plain.slice(0, 12))
  },
)

test('the same text is never sealed the same way twice', () => {
  const seal = createSeal([one])
  expect(seal.seal(text, place)).not.toBe(seal.seal(text, place))
})

test('after a rotation old texts open, and new ones are sealed with the new key', () => {
  const old = createSeal([one]).seal(text, place)
  const rotated = createSeal([two, one])
  expect(rotated.open(old, place)).toBe(text)
  const fresh = rotated.seal(text, place)
  expect(createSeal([two]).open(fresh, place)).toBe(text)
  expect(rotated.keyId).toBe(two.id)
})

test('a key that is not in the ring is named, with whose text it is and what to do', () => {
  const sealed = createSeal([one]).seal(text, place)
  const { code, retryable, message } = refusalOf(() => createSeal([two]).open(sealed, place))
  expect({ code, retryable }).toEqual({ code: 'encryption_key_unknown', retryable: false })
  expect(message).toMatch(/access token of icfg_1.*"2026-01".*HOLDPOINT_ENCRYPTION_KEYS/)
})

test('without a key nothing is sealed, and it is said how to make one', () => {
  const { code, message } = refusalOf(() => createSeal([]))
  expect(code).toBe('encryption_key_missing')
  expect(message).toMatch(/HOLDPOINT_ENCRYPTION_KEYS.*32 bytes/)
})

describe('a text does not open', () => {
  test.each<[string, Place]>([
    ['in another row', ['installations', 'access_token', 'icfg_2']],
    ['in another column', ['installations', 'answer', 'icfg_1']],
    ['in another table', ['answers', 'access_token', 'icfg_1']],
    ['in a row whose identity reads the same', ['installations', 'access_token', 'icfg_', '1']],
  ])('%s', (_, elsewhere) => {
    const seal = createSeal([one])
    const sealed = seal.seal(text, place)
    const { code, retryable, message } = refusalOf(() => seal.open(sealed, elsewhere))
    expect({ code, retryable }).toEqual({ code: 'sealed_value_broken', retryable: false })
    expect(message).not.toContain(text)
  })

  test('when any part of it was changed', () => {
    const seal = createSeal([one])
    const sealed = seal.seal(text, place)
    const start = one.id.length + 1
    const bytes = Buffer.from(sealed.slice(start), 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      const broken = `${one.id}:${changed.toString('base64url')}`
      expect(refusalOf(() => seal.open(broken, place)).code).toBe('sealed_value_broken')
    }
  })

  test('when it was cut short', () => {
    const seal = createSeal([one])
    const bytes = Buffer.from(seal.seal(text, place).slice(one.id.length + 1), 'base64url')
    for (let length = 0; length < bytes.length; length++) {
      const broken = `${one.id}:${bytes.subarray(0, length).toString('base64url')}`
      expect(refusalOf(() => seal.open(broken, place)).code).toBe('sealed_value_broken')
    }
  })

  test('when another key of the same name sealed it', () => {
    const sealed = createSeal([one]).seal(text, place)
    const impostor = createSeal([{ id: one.id, bytes: two.bytes }])
    expect(refusalOf(() => impostor.open(sealed, place)).code).toBe('sealed_value_broken')
  })

  test('when it was never sealed', () => {
    const seal = createSeal([one])
    for (const plain of ['', 'token', 'a:b'])
      expect(refusalOf(() => seal.open(plain, place)).code).toBe('encryption_key_unknown')
  })
})
