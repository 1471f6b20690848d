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

test('succeeded with a note tells people why it is not the usual success', async () => {
  const note = 'Nothing was made for bots.'
  expect(await bodyOf({ ...succeeded({}), note } as ActionStatus)).toEqual({
    status: 'succeeded',
    statusText: note,
  })
})

describe('a success without secrets is taken by a Vercel', () => {
  const report = async (outcomesRequired: boolean, ...statuses: ActionStatus[]) => {
    const { vercel, project } = await vercelForTest({ dials: { outcomesRequired } })
    const accessToken = () => Promise.resolve(ACCESS_TOKEN)
    const connection = { baseUrl: vercel.url, timeoutMs: 2000, accessToken }
    for (const status of statuses) {
      const { id } = vercel.deploy(project)
      const at = { installationId: vercel.installation.id, resourceId: 'db-42', deploymentId: id }
      await updateActionStatus(connection, { ...at, action: 'branch' }, status)
      const ready = await vercel.until(id, ({ readyState }) => readyState === 'READY')
      expect(ready.env).toEqual({ DATABASE_URL: 'shared', REGION: 'iad1' })
      expect(ready.actions[0]).toMatchObject({ status: 'succeeded', terminalCount: 1 })
    }
    return vercel.records.flatMap((event) =>
      event.kind === 'request' && event.method === 'PATCH' ? [event.body] : [],
    )
  }
  const bare = { status: 'succeeded' }
  const empty = { ...bare, outcomes: [{ kind: 'resource-secrets', secrets: [] }] }

  test('that wants none, without any', async () => {
    expect(await report(false, succeeded({}), succeeded({}))).toEqual([bare, bare])
  })

  test('that wants outcomes, with an empty one, and from then on at once', async () => {
    expect(await report(true, succeeded({}), succeeded({}))).toEqual([bare, empty, empty])
  })
})

test('a success with secrets that is refused is sent no second time', async () => {
  const { connection, received } = await smallServer(
    json(400, { error: { code: 'bad_request', message: 'No.' } }),
  )
  const refused = updateActionStatus(connection, key, succeeded({ A: '1' }))
  await expect(refused).rejects.toMatchObject({ status: 400 })
  expect(received).toHaveLength(1)
  await expect(updateActionStatus(connection, key, succeeded({}))).rejects.toMatchObject({
    status: 400,
  })
  expect(received).toHaveLength(3)
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
