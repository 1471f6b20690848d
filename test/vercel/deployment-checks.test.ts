import { describe, expect, test } from 'vitest'
import {
  createDeploymentCheck,
  type DeploymentCheckUpdate,
  listDeploymentChecks,
  updateDeploymentCheck,
} from '../../src/vercel/deployment-checks.ts'
import { json, smallServer } from './small-server.ts'

const call = { installationId: 'icfg_A', deploymentId: 'dpl/1' }
const target = '/v1/deployments/dpl%2F1/checks'
const check = { name: 'Smoke', blocking: true, externalId: 'ours' }

describe('the checks of a deployment', () => {
  const list = async (body: unknown) => {
    const { connection } = await smallServer(json(200, body))
    return await listDeploymentChecks(connection, call)
  }

  test('are asked for with the team where it is known', async () => {
    const { connection, received } = await smallServer(json(200, { checks: [] }))
    expect(await listDeploymentChecks(connection, call)).toEqual([])
    await listDeploymentChecks(connection, { ...call, teamId: 'team_1' })
    expect(received.map((request) => request.target)).toEqual([target, `${target}?teamId=team_1`])
  })

  test('are read whatever else is there, missing or new', async () => {
    expect(
      await list({
        checks: [
          { id: 'a', name: 'Smoke', externalId: 'ours', status: 'thinking', novelty: {} },
          { id: 'b', name: 7, externalId: null, status: 5 },
          { id: 'c', status: 'completed', conclusion: 'stale' },
          { id: 'd', conclusion: 'succeeded' },
        ],
      }),
    ).toEqual([
      { id: 'a', name: 'Smoke', externalId: 'ours', isCompleted: false },
      { id: 'b', isCompleted: false },
      { id: 'c', isCompleted: true },
      { id: 'd', isCompleted: true },
    ])
  })

  test('that cannot be read are an error that may pass', async () => {
    await expect(list({})).rejects.toMatchObject({ code: 'unreadable_answer', retryable: true })
  })
})

describe('a check is created', () => {
  test('with exactly the keys of Vercel’s schema, and known by the id in the answer', async () => {
    const { connection, received } = await smallServer(json(200, { id: 'check_1' }))
    expect(await createDeploymentCheck(connection, call, check)).toBe('check_1')
    expect(received).toMatchObject([{ method: 'POST', target }])
    expect(JSON.parse(received[0]?.body ?? '')).toEqual(check)
  })

  test('or may have been, when the answer cannot be read', async () => {
    const { connection } = await smallServer(json(200, {}))
    await expect(createDeploymentCheck(connection, call, check)).rejects.toMatchObject({
      retryable: true,
    })
  })
})

describe('an update has exactly the keys of Vercel’s schema', () => {
  const bodyOf = async (update: DeploymentCheckUpdate) => {
    const { connection, received } = await smallServer(json(200, {}))
    const ours = { ...call, checkId: 'check_1', externalId: 'ours' }
    await updateDeploymentCheck(connection, ours, update)
    expect(received).toMatchObject([{ method: 'PATCH', target: `${target}/check_1` }])
    return JSON.parse(received[0]?.body ?? '') as unknown
  }

  test('and our id, which a rerequest takes away', async () => {
    const externalId = 'ours'
    const detailsUrl = 'https://example.com'
    expect(await bodyOf({ kind: 'touched' })).toEqual({ externalId })
    expect(await bodyOf({ kind: 'running' })).toEqual({ externalId, status: 'running' })
    expect(await bodyOf({ kind: 'running', detailsUrl })).toEqual({
      externalId,
      status: 'running',
      detailsUrl,
    })
    expect(await bodyOf({ kind: 'completed', conclusion: 'neutral', detailsUrl })).toEqual({
      externalId,
      status: 'completed',
      conclusion: 'neutral',
      detailsUrl,
    })
  })

  test('and the words of v1, for one that came too late', async () => {
    expect(await bodyOf({ kind: 'completed', conclusion: 'timeout' })).toMatchObject({
      conclusion: 'failed',
    })
  })
})
