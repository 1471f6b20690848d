import { describe, expect, test } from 'vitest'
import type { Dials, Simulator } from '../../src/simulator/index.ts'
import { succeeded, vercelForTest } from './vercel-for-test.ts'

const TWO_ACTIONS = {
  branch: { environments: ['preview', 'production'] },
  seed: { environments: ['preview'] },
}

describe('a held build', () => {
  test('is released with the outcome’s variables over the project’s own once the action has succeeded', async () => {
    const { vercel, project, update } = await vercelForTest()
    const deployment = vercel.deploy(project, { gitBranch: 'feature/login' })
    expect(deployment).toMatchObject({
      readyState: 'QUEUED',
      integrations: { status: 'pending' },
      actions: [{ slug: 'branch', status: 'pending' }],
    })
    await update(deployment, { status: 'running', statusText: 'Copying db-42' })
    expect(vercel.deployment(deployment.id).actions[0]).toMatchObject({
      status: 'running',
      statusText: 'Copying db-42',
    })
    await update(deployment, succeeded({ DATABASE_URL: 'branch' }))
    const ready = await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    expect(ready.env).toEqual({ DATABASE_URL: 'branch', REGION: 'iad1' })
    expect(ready.integrations?.status).toBe('ready')
    expect(ready.integrations?.completedAt).toBeGreaterThanOrEqual(deployment.createdAt)
    expect(ready.actions[0]).toMatchObject({
      acceptedStatuses: ['running', 'succeeded'],
      terminalCount: 1,
      terminalBodies: 1,
    })
  })

  test('waits for every action of every resource', async () => {
    const { vercel, update } = await vercelForTest()
    const project = vercel.createProject({
      name: 'many',
      resources: [
        { resourceId: 'a', actions: TWO_ACTIONS },
        { resourceId: 'b/2', actions: TWO_ACTIONS },
      ],
    })
    const deployment = vercel.deploy(project)
    expect(deployment.actions).toHaveLength(4)
    for (const index of [0, 1, 2]) {
      expect(vercel.deployment(deployment.id).integrations?.status).toBe('pending')
      await update(deployment, succeeded({ [`FROM_${index}`]: 'x' }), index)
    }
    expect(vercel.deployment(deployment.id).buildStartedAt).toBeUndefined()
    await update(deployment, succeeded({ FROM_3: 'x' }), 3)
    const ready = await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    expect(Object.keys(ready.env)).toEqual(['FROM_0', 'FROM_1', 'FROM_2', 'FROM_3'])
    expect(vercel.deploy(project, { environment: 'production' }).actions).toHaveLength(2)
  })

  test('is not held at all when its environment has no action', async () => {
    const { vercel, project, received } = await vercelForTest()
    const deployment = vercel.deploy(project, { environment: 'production' })
    expect(deployment.integrations).toBeUndefined()
    await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    expect(received).toEqual([])
  })

  test('fails when an action of a required resource fails', async () => {
    const { vercel, project, update } = await vercelForTest()
    const deployment = vercel.deploy(project)
    await update(deployment, { status: 'failed', statusText: 'No branch is left' })
    const failed = vercel.deployment(deployment.id)
    expect(failed).toMatchObject({
      readyState: 'ERROR',
      errorCode: 'BUILD_FAILED',
      integrations: { status: 'error' },
    })
    expect(failed.errorMessage).toContain('No branch is left')
    expect(failed.buildStartedAt).toBeUndefined()
  })

  test('goes on with the project’s own variables when an action of an optional resource fails', async () => {
    const { vercel, update } = await vercelForTest()
    const project = vercel.createProject({
      name: 'optional',
      resources: [{ resourceId: 'db', required: false }],
      env: { preview: { DATABASE_URL: 'shared' } },
    })
    const deployment = vercel.deploy(project)
    await update(deployment, { ...succeeded({ DATABASE_URL: 'branch' }), status: 'failed' })
    const ready = await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    expect(ready.env).toEqual({ DATABASE_URL: 'shared' })
  })

  test('goes on without the resources when a user skips them', async () => {
    const { vercel, project } = await vercelForTest()
    const deployment = vercel.deploy(project)
    vercel.skip(deployment.id)
    const ready = await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    expect(ready).toMatchObject({
      integrations: { status: 'skipped' },
      env: { DATABASE_URL: 'shared' },
    })
    expect(() => vercel.skip(deployment.id)).toThrow('cannot be skipped')
  })

  test('fails when Vercel has waited long enough, and goes on if the resource is optional', async () => {
    const { vercel, project } = await vercelForTest({ provisioningTimeoutMs: 20 })
    const optional = vercel.createProject({
      name: 'optional',
      resources: [{ resourceId: 'db', required: false }],
    })
    const [held, free] = [vercel.deploy(project), vercel.deploy(optional)]
    const failed = await vercel.until(held.id, ({ readyState }) => readyState === 'ERROR')
    expect(failed.integrations?.status).toBe('timeout')
    const ready = await vercel.until(free.id, ({ readyState }) => readyState === 'READY')
    expect(ready.integrations?.status).toBe('timeout')
  })
})

describe('an update nobody waits for', () => {
  const ends: [after: string, dial: keyof Dials, end: (vercel: Simulator, id: string) => void][] = [
    ['a cancel', 'updateAfterEnd', (vercel, id) => vercel.cancel(id)],
    ['a skip', 'updateAfterEnd', (vercel, id) => vercel.skip(id)],
    ['the removal', 'updateAfterRemoval', (vercel, id) => vercel.remove(id)],
  ]

  test.each(ends)('is answered as the dial says after %s', async (_after, dial, end) => {
    for (const status of [202, 404, 409, 410]) {
      const { vercel, project, update } = await vercelForTest({ dials: { [dial]: status } })
      const deployment = vercel.deploy(project)
      end(vercel, deployment.id)
      const answer = await update(deployment, succeeded({ DATABASE_URL: 'late' }))
      expect(answer.status).toBe(status)
      const after = vercel.deployment(deployment.id)
      expect(after.env['DATABASE_URL']).toBe('shared')
      expect(after.actions[0]?.terminalCount).toBe(status === 202 ? 1 : 0)
    }
  })

  test('is answered as the dial says after a timeout', async () => {
    const { vercel, project, update } = await vercelForTest({ provisioningTimeoutMs: 5 })
    const deployment = vercel.deploy(project)
    await vercel.until(deployment.id, ({ integrations }) => integrations?.status === 'timeout')
    for (const status of [404, 409, 410, 202] as const) {
      vercel.dials.updateAfterEnd = status
      expect(await update(deployment, { status: 'failed' })).toMatchObject({ status })
    }
    expect(vercel.deployment(deployment.id).actions[0]?.status).toBe('timeout')
  })

  test('changes nothing after a terminal one, whatever the answer, and is counted when taken', async () => {
    const { vercel, project, update } = await vercelForTest()
    const deployment = vercel.deploy(project)
    await update(deployment, succeeded({ DATABASE_URL: 'first' }))
    for (const status of [400, 404, 409, 410, 202] as const) {
      vercel.dials.updateAfterTerminal = status
      expect(await update(deployment, succeeded({ DATABASE_URL: 'first' }))).toMatchObject({
        status,
      })
    }
    await update(deployment, { status: 'failed' })
    await update(deployment, { status: 'running' })
    const after = vercel.deployment(deployment.id)
    expect(after.env['DATABASE_URL']).toBe('first')
    expect(after.actions[0]).toMatchObject({
      status: 'succeeded',
      acceptedStatuses: ['succeeded', 'succeeded', 'failed', 'running'],
      terminalCount: 3,
      terminalBodies: 2,
    })
  })

  test('reaches a build that runs when the dial lets a late success in', async () => {
    const dials = { updateAfterEnd: 202, lateSuccessInjects: true } as const
    const { vercel, project, update } = await vercelForTest({ buildMs: 60_000, dials })
    const deployment = vercel.deploy(project)
    vercel.skip(deployment.id)
    await update(deployment, succeeded({ DATABASE_URL: 'late' }))
    expect(vercel.deployment(deployment.id).env['DATABASE_URL']).toBe('late')
  })

  test('is taken when it repeats the very update that ended the action, if the dial says so', async () => {
    const { vercel, project, update } = await vercelForTest({
      dials: { repeatedUpdate: 'accepted', updateAfterTerminal: 409 },
    })
    const deployment = vercel.deploy(project)
    await update(deployment, succeeded({ DATABASE_URL: 'first' }))
    expect((await update(deployment, succeeded({ DATABASE_URL: 'first' }))).status).toBe(202)
    expect((await update(deployment, succeeded({ DATABASE_URL: 'second' }))).status).toBe(409)
    expect(vercel.deployment(deployment.id).actions[0]).toMatchObject({
      terminalCount: 2,
      terminalBodies: 1,
    })
  })

  test('replaces the first end when the dial says so, as long as the build is not over', async () => {
    const { vercel, project, update } = await vercelForTest({
      buildMs: 60_000,
      dials: { updateAfterTerminal: 202, laterTerminal: 'replaces' },
    })
    const deployment = vercel.deploy(project)
    await update(deployment, succeeded({ DATABASE_URL: 'first' }))
    await update(deployment, succeeded({ DATABASE_URL: 'second' }))
    await update(deployment, { status: 'running' })
    expect(vercel.deployment(deployment.id)).toMatchObject({
      readyState: 'BUILDING',
      env: { DATABASE_URL: 'second' },
      actions: [{ status: 'succeeded' }],
    })
    await update(deployment, { status: 'failed', statusText: 'No.' })
    expect(vercel.deployment(deployment.id)).toMatchObject({
      readyState: 'ERROR',
      errorMessage: expect.stringContaining('No.'),
    })
    await update(deployment, succeeded({ DATABASE_URL: 'third' }))
    expect(vercel.deployment(deployment.id)).toMatchObject({
      readyState: 'ERROR',
      env: { DATABASE_URL: 'second' },
    })
  })

  test('is a bad request without outcomes when the dial demands them', async () => {
    const { vercel, project, update } = await vercelForTest({ dials: { outcomesRequired: true } })
    const deployment = vercel.deploy(project)
    expect(await update(deployment, { status: 'succeeded' })).toMatchObject({ status: 400 })
    vercel.dials.outcomesRequired = false
    expect(await update(deployment, { status: 'succeeded' })).toMatchObject({ status: 202 })
  })
})

test('the variables of an outcome have the prefix that the dial says', async () => {
  const { vercel, project, update } = await vercelForTest({ dials: { outcomePrefix: 'SHOP_' } })
  const deployment = vercel.deploy(project)
  await update(deployment, succeeded({ DATABASE_URL: 'branch' }))
  expect(vercel.deployment(deployment.id).env).toEqual({
    DATABASE_URL: 'shared',
    REGION: 'iad1',
    SHOP_DATABASE_URL: 'branch',
  })
})
