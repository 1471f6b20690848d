import { expect, test } from 'vitest'
import { secretDeriver } from '../../src/config/derive-secret.ts'

test('one key derives the same secret for the same purpose, on every machine and in every version', () => {
  expect(secretDeriver('key')('password').reveal()).toBe(
    'IQBH3hGIQXvkEIIuIn11iFVJXb_HP1EyE--6wnLBRE0',
  )
  expect(secretDeriver(Buffer.from('key'))('password').reveal()).toBe(
    secretDeriver('key')('password').reveal(),
  )
})

test('another purpose or another key derives another secret', () => {
  const secrets = [
    secretDeriver('key')('password'),
    secretDeriver('key')('password2'),
    secretDeriver('other')('password'),
  ].map((secret) => secret.reveal())
  expect(new Set(secrets).size).toBe(3)
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
})
