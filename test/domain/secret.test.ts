import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'

test('a secret shows nothing of itself, however it is printed', () => {
  const secret = new Secret('hunter2')
  const prints = [
    String(secret),
    // oxlint-disable-next-line typescript/restrict-template-expressions -- the very mistake that must show nothing
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ nested: [secret] }, { showHidden: true, depth: 5 }),
    Object.values(secret).join(),
  ]
  expect(prints.join(' ')).not.toContain('hunter2')
  expect(secret.reveal()).toBe('hunter2')
})
