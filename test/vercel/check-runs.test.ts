import { describe, expect, test } from 'vitest'
import type { CheckVerdict } from '../../src/domain/check-run.ts'
import { getCheckRun, updateCheckRun } from '../../src/vercel/check-runs.ts'
import { json, smallServer } from './small-server.ts'

const call = { installationId: 'icfg_A', deploymentId: 'dpl_1', checkRunId: 'ckr/1' }
const target = '/v2/deployments/dpl_1/check-runs/ckr%2F1'

describe('reading a check run', () => {
  const read = async (body: unknown) => {
    const { connection } = await smallServer(json(200, body))
    return await getCheckRun(connection, call)
  }

  test('asks for just this one, with the team where it is known', async () => {
    const { connection, received } = await smallServer(json(200, { status: 'queued' }))
    await getCheckRun(connection, call)
    await getCheckRun(connection, { ...call, teamId: 'team_1' })
    expect(received.map((request) => request.target)).toEqual([target, `${target}?teamId=team_1`])
  })

  test('takes what it needs, whatever else is there, missing or new', async () => {
    expect(
      await read({
        id: 'ckr/1',
        name: 'Smoke',
        status: 'thinking',
        timeout: 300,
        source: { kind: 'integration', externalResourceId: 'db/1' },
        novelty: {},
      }),
    ).toEqual({ isCompleted: false, name: 'Smoke', resourceId: 'db/1', timeoutSeconds: 300 })
    expect(await read({ status: 5, name: null, timeout: 'long', source: 'x' })).toEqual({
      isCompleted: false,
    })
  })

  test.each([
    ['its status', { status: 'completed' }],
    ['its conclusion', { status: 'stale', conclusion: 'timeout' }],
  ])('one is completed by %s', async (_, body) => {
    expect(await read(body)).toMatchObject({ isCompleted: true })
  })

  test.each([404, 410])('one that Vercel does not show (%i) is none', async (status) => {
    const { connection } = await smallServer(json(status, { error: { code: 'x' } }))
    expect(await getCheckRun(connection, call)).toBeUndefined()
  })

  test('anything else is an error', async () => {
    await expect(read([])).rejects.toMatchObject({ code: 'unreadable_answer', retryable: true })
    const { connection } = await smallServer(json(403, {}))
    await expect(getCheckRun(connection, call)).rejects.toMatchObject({ status: 403 })
  })
})

describe('an update has exactly the keys of Vercel’s schema', () => {
  const bodyOf = async (update: Parameters<typeof updateCheckRun>[2]) => {
    const { connection, received } = await smallServer()
    await updateCheckRun(connection, call, update)
    expect(received).toMatchObject([{ method: 'PATCH', target }])
    return JSON.parse(received[0]?.body ?? '') as unknown
  }
  const verdict: CheckVerdict = {
    conclusion: 'failed',
    text: 'Column x is missing.',
    externalUrl: 'https://example.com/1',
    output: { missing: ['x'] },
  }

  test('running, with the address where there is one', async () => {
    expect(await bodyOf({ kind: 'running' })).toEqual({ status: 'running' })
    const externalUrl = 'sso:/checks/1'
    expect(await bodyOf({ kind: 'running', externalUrl })).toEqual({
      status: 'running',
      externalUrl,
    })
  })

  test('completed', async () => {
    expect(await bodyOf({ kind: 'completed', verdict, completedAt: 5 })).toEqual({
      status: 'completed',
      conclusion: 'failed',
      conclusionText: 'Column x is missing.',
      externalUrl: 'https://example.com/1',
      output: { missing: ['x'] },
      completedAt: 5,
    })
    expect(
      await bodyOf({ kind: 'completed', verdict: { conclusion: 'neutral' }, completedAt: 5 }),
    ).toEqual({ status: 'completed', conclusion: 'neutral', completedAt: 5 })
  })

  test('with a long text cut in the middle', async () => {
    const text = `a${'b'.repeat(1000)}c`
    const body = await bodyOf({
      kind: 'completed',
      verdict: { conclusion: 'failed', text },
      completedAt: 5,
    })
    expect(body).toMatchObject({ conclusionText: expect.stringMatching(/^ab+…b+c$/) })
    expect((body as { conclusionText: string }).conclusionText).toHaveLength(256)
  })

  test('without the output when that is too large for Vercel (413)', async () => {
    const { connection, received } = await smallServer((response, request) =>
      json(request.body.includes('output') ? 413 : 200, {})(response, request),
    )
    const completed = { kind: 'completed', verdict, completedAt: 5 } as const
    await updateCheckRun(connection, call, completed)
    expect(received.map(({ body }) => body.includes('"output"'))).toEqual([true, false])
  })

  test('and any other refusal is an error, of which nothing is sent again', async () => {
    const { connection, received } = await smallServer(json(409, { error: { code: 'conflict' } }))
    const completed = { kind: 'completed', verdict, completedAt: 5 } as const
    await expect(updateCheckRun(connection, call, completed)).rejects.toMatchObject({ status: 409 })
    expect(received).toHaveLength(1)
  })
})
