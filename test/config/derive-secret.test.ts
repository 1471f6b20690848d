import { expect, test } from 'vitest'
import { secretDeriver } from '../../src/config/derive-secret.ts'

const derived = (keys: Parameters<typeof secretDeriver>[0], purpose: string) =>
  secretDeriver(keys)(purpose).map((secret) => secret.reveal())

test('one key derives the same secret for the same purpose, on every machine and in every version', () => {
  expect(derived(['key'], 'password')).toEqual(['IQBH3hGIQXvkEIIuIn11iFVJXb_HP1EyE--6wnLBRE0'])
  expect(derived([Buffer.from('key')], 'password')).toEqual(derived(['key'], 'password'))
})

test('another purpose or another key derives another secret', () => {
  const secrets = [
    ...derived(['key'], 'password'),
    ...derived(['key'], 'password2'),
    ...derived(['other'], 'password'),
  ]
  expect(new Set(secrets).size).toBe(3)
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
})

test('a new key comes first, and what the old one derived is still told', () => {
  expect(derived(['new', 'old'], 'password')).toEqual([
    ...derived(['new'], 'password'),
    ...derived(['old'], 'password'),
  ])
})
