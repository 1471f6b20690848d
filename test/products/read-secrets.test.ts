import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import { provisionResource } from '../../src/products/provision-resource.ts'
import { readSecrets } from '../../src/products/read-secrets.ts'

function product(secrets: Record<string, Secret | string>) {
  return provisionResource({
    name: 'Database',
    provision: () => Promise.resolve(),
    secrets: () => Promise.resolve(secrets),
    deprovision: () => Promise.resolve(),
  })
}
const read = (secrets: Record<string, Secret | string>) =>
  readSecrets(product(secrets), {} as never)

test('whatever a product tells is a secret from then on', async () => {
  const secrets = await read({ DATABASE_URL: 'postgres://hunter2', TOKEN: new Secret('hunter3') })
  expect(secrets['DATABASE_URL']?.reveal()).toBe('postgres://hunter2')
  expect(secrets['TOKEN']?.reveal()).toBe('hunter3')
  expect(JSON.stringify(secrets)).not.toContain('hunter')
})

describe('what Vercel or visitors’ browsers would get wrong is refused, and its value never told', () => {
  test.each<[string, Record<string, string>, string]>([
    ['a name', { 'DATABASE URL': 'hunter2' }, '"DATABASE URL" is not allowed'],
    ['a reserved name', { TZ: 'hunter2' }, 'TZ is reserved'],
    ['a public one', { NEXT_PUBLIC_URL: 'hunter2' }, 'NEXT_PUBLIC_URL would be built into browser'],
    ['an empty value', { URL: '', OTHER: 'hunter2' }, 'URL is empty'],
    ['too much', { URL: 'hunter2'.repeat(10_000) }, 'Vercel takes 65536'],
  ])('%s', async (_, secrets, message) => {
    const error = await read(secrets).then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error).toMatchObject({ code: 'secrets_invalid', retryable: false })
    expect(error?.message).toContain(message)
    expect(error?.message).not.toContain('hunter')
  })
})
