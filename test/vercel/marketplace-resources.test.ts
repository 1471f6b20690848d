import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import {
  replaceResourceSecrets,
  type ResourceUpdate,
  updateResource,
} from '../../src/vercel/marketplace-resources.ts'
import { json, smallServer } from './small-server.ts'

const call = { installationId: 'icfg_A', resourceId: 'db/1' }
const target = '/v1/installations/icfg_A/resources/db%2F1'
const secrets = { DATABASE_URL: new Secret('postgres://hunter2'), TOKEN: new Secret('hunter3') }
const pairs = [
  { name: 'DATABASE_URL', value: 'postgres://hunter2' },
  { name: 'TOKEN', value: 'hunter3' },
]

describe('an update of a resource has exactly the keys of Vercel’s schema', () => {
  const bodyOf = async (update: ResourceUpdate) => {
    const { connection, received } = await smallServer(json(200, { name: 'db' }))
    await updateResource(connection, call, update)
    expect(received).toMatchObject([{ method: 'PATCH', target }])
    return JSON.parse(received[0]?.body ?? '') as unknown
  }

  test('one that is ready, with all that the customer is shown and its projects get', async () => {
    const billingPlan = { id: 'pro', type: 'subscription', name: 'Pro', description: 'More' }
    const shown = {
      status: 'ready',
      name: 'db',
      metadata: { region: 'iad1' },
      billingPlan,
    } as const
    expect(await bodyOf({ ...shown, secrets })).toEqual({ ...shown, secrets: pairs })
  })

  test('one that failed, with a sentence for the customer, as long as Vercel takes it', async () => {
    const problem = { title: 'x'.repeat(150), message: 'No room. '.repeat(100) }
    expect(await bodyOf({ status: 'error', problem })).toEqual({
      status: 'error',
      notification: {
        level: 'error',
        title: 'x'.repeat(100),
        message: expect.stringMatching(/^No room\. .{0,240}…/),
      },
    })
  })
})

test('new secrets are handed over as a whole', async () => {
  const { connection, received } = await smallServer(json(201, undefined))
  await replaceResourceSecrets(connection, call, secrets)
  expect(received).toMatchObject([{ method: 'PUT', target: `${target}/secrets` }])
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({ secrets: pairs })
})

test('a refusal tells its status, and nothing that was sent', async () => {
  const { connection } = await smallServer((response, { body }) =>
    json(422, { error: { code: 'bad_request', message: body } })(response, {} as never),
  )
  for (const sent of [
    updateResource(connection, call, { status: 'ready', secrets }),
    replaceResourceSecrets(connection, call, secrets),
  ]) {
    const error = await sent.then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error).toMatchObject({ name: 'VercelApiError', status: 422, retryable: false })
    expect(String(error)).not.toContain('hunter')
  }
})
