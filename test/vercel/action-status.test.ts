import { describe, expect, test } from 'vitest'
import type { ActionStatus } from '../../src/domain/action-status.ts'
import { Secret } from '../../src/domain/secret.ts'
import { updateActionStatus } from '../../src/vercel/action-status.ts'
import { ACCESS_TOKEN, vercelForTest } from '../simulator/vercel-for-test.ts'
import { json, smallServer } from './small-server.ts'

const key = {
  installationId: 'icfg_A',
  resourceId: 'team/db 42%',
  deploymentId: 'dpl_1',
  action: 'branch',
}

/** The body that Vercel is sent, as it would be read. */
async function bodyOf(status: ActionStatus): Promise<Record<string, unknown>> {
  const { connection, received } = await smallServer(json(202, undefined))
  await updateActionStatus(connection, key, status)
  return JSON.parse(received[0]?.body ?? '') as Record<string, unknown>
}

const succeeded = (secrets: Record<string, string>): ActionStatus => ({
  kind: 'succeeded',
  outcome: {
    secrets: Object.entries(secrets).map(([name, value]) => ({ name, value: new Secret(value) })),
  },
})

test('an update goes to the action it is about, by PATCH', async () => {
  const { connection, received } = await smallServer(json(202, undefined))
  await updateActionStatus(connection, key, { kind: 'running' })
  expect(received).toMatchObject([
    {
      method: 'PATCH',
      target:
        '/v1/deployments/dpl_1/integrations/icfg_A/resources/team%2Fdb%2042%25/actions/branch',
    },
  ])
})

describe('a body has exactly the keys of Vercel’s closed schema', () => {
  test('running', async () => {
    expect(await bodyOf({ kind: 'running' })).toEqual({ status: 'running' })
  })

  test('failed, with the reason', async () => {
    expect(await bodyOf({ kind: 'failed', reason: 'No branch is left.' })).toEqual({
      status: 'failed',
      statusText: 'No branch is left.',
    })
  })

  test('succeeded, with the secrets in clear', async () => {
    expect(await bodyOf(succeeded({ A: '1', DATABASE_URL: 'postgres://me:hunter2@db' }))).toEqual({
      status: 'succeeded',
      outcomes: [
        {
          kind: 'resource-secrets',
          secrets: [
            { name: 'A', value: '1' },
            { name: 'DATABASE_URL', value: 'postgres://me:hunter2@db' },
          ],
        },
      ],
    })
  })

  test('succeeded without secrets, and then without outcomes', async () => {
    expect(await bodyOf(succeeded({}))).toEqual({ status: 'succeeded' })
  })
})

describe('a reason is cut to 256 characters', () => {
  const statusText = async (reason: string) =>
    (await bodyOf({ kind: 'failed', reason }))['statusText'] as string

  test('and one that fits is left alone', async () => {
    expect(await statusText('x'.repeat(256))).toBe('x'.repeat(256))
    expect(await statusText('😀'.repeat(256))).toBe('😀'.repeat(256))
  })

  test('in the middle: what failed and what to do stand at its ends', async () => {
    const text = await statusText(`It failed.${'x'.repeat(300)}Do this.`)
    expect(text).toMatch(/^It failed\.x+…x+Do this\.$/)
    expect(text).toHaveLength(256)
  })

  test('and never within a character that takes two code units', async () => {
    expect(await statusText(`x${'😀'.repeat(300)}`)).toBe(`x${'😀'.repeat(99)}…${'😀'.repeat(155)}`)
  })
})

test('a local Vercel, which validates by the published schema, takes all of them', async () => {
  const { vercel, project } = await vercelForTest()
  const connection = {
    baseUrl: vercel.url,
    timeoutMs: 2000,
    accessToken: () => Promise.resolve(ACCESS_TOKEN),
  }
  const report = async (...statuses: ActionStatus[]) => {
    const { id } = vercel.deploy(project)
    const at = { installationId: vercel.installation.id, resourceId: 'db-42', deploymentId: id }
    for (const status of statuses) {
      await updateActionStatus(connection, { ...at, action: 'branch' }, status)
    }
    return vercel.deployment(id).actions[0]?.acceptedStatuses
  }
  expect(await report({ kind: 'running' }, succeeded({ A: 'b' }))).toEqual(['running', 'succeeded'])
  expect(await report(succeeded({}))).toEqual(['succeeded'])
  expect(await report({ kind: 'failed', reason: 'ß'.repeat(999) })).toEqual(['failed'])
})
