import { describe, expect, test } from 'vitest'
import { succeeded, vercelForTest } from './vercel-for-test.ts'

const TWO_ACTIONS = {
  branch: { environments: ['preview'] },
  seed: { environments: ['preview'] },
}

async function twoActions(options: Parameters<typeof vercelForTest>[0] = {}) {
  const environment = await vercelForTest(options)
  const project = environment.vercel.createProject({
    name: 'two',
    resources: [{ resourceId: 'db', actions: TWO_ACTIONS }],
  })
  return { ...environment, deployment: environment.vercel.deploy(project) }
}

describe('a canceled deployment', () => {
  test('sends one cancel per action', async () => {
    const { vercel, deployment, webhooks } = await twoActions()
    vercel.cancel(deployment.id)
    expect(vercel.deployment(deployment.id)).toMatchObject({
      readyState: 'CANCELED',
      actions: [{ status: 'canceled' }, { status: 'canceled' }],
    })
    const cancels = await webhooks('cancel', 2)
    expect(cancels.map((webhook) => webhook.kind === 'webhook' && webhook.action)).toEqual([
      'branch',
      'seed',
    ])
    expect(() => vercel.cancel(deployment.id)).toThrow('is CANCELED')
  })

  test('spares the actions that had succeeded when the dial says so, and is too late once ready', async () => {
    const { vercel, deployment, update, webhooks } = await twoActions({
      dials: { cancelAfterSuccess: false },
    })
    await update(deployment, succeeded(), 0)
    vercel.cancel(deployment.id)
    const [cancel, ...others] = await webhooks('cancel', 1)
    expect(cancel).toMatchObject({ action: 'seed' })
    expect(others).toEqual([])

    const ready = vercel.deploy(
      vercel.createProject({ name: 'plain', resources: [{ resourceId: 'x', actions: {} }] }),
    )
    await vercel.until(ready.id, ({ readyState }) => readyState === 'READY')
    expect(() => vercel.cancel(ready.id)).toThrow('is READY')
  })

  test('never starts a build', async () => {
    const { vercel, deployment, update } = await twoActions({ dials: { updateAfterEnd: 202 } })
    await update(deployment, succeeded(), 0)
    vercel.cancel(deployment.id)
    await update(deployment, succeeded(), 1)
    const after = vercel.deployment(deployment.id)
    expect(after).toMatchObject({ readyState: 'CANCELED' })
    expect(after.buildStartedAt).toBeUndefined()
  })
})

describe('a removed deployment', () => {
  test('sends one cleanup per action it ran, and reads as the dial says', async () => {
    const { vercel, deployment, update, request, webhooks } = await twoActions()
    await update(deployment, succeeded(), 0)
    await update(deployment, succeeded(), 1)
    await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    vercel.remove(deployment.id)
    expect(await webhooks('cleanup', 2)).toHaveLength(2)
    const read = () => request(`/v13/deployments/${deployment.id}`)
    expect(await read()).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
    vercel.dials.removedDeployment = 'gone'
    expect(await read()).toMatchObject({ status: 410 })
    vercel.dials.removedDeployment = 'soft-deleted'
    expect((await read()).body).toMatchObject({ id: deployment.id, readyState: 'READY' })
    expect((await read()).body.deletedAt).toBeGreaterThan(0)
    expect(() => vercel.remove(deployment.id)).toThrow('is removed')
  })

  test('sends no cleanup after a failure, or a single one, when the dials say so', async () => {
    const { vercel, deployment, update, webhooks } = await twoActions({
      dials: { cleanupAfterFailure: false, cleanupPer: 'deployment' },
    })
    await update(deployment, { status: 'failed' })
    vercel.remove(deployment.id)
    const project = vercel.projects.find(({ name }) => name === 'two')
    if (!project) throw new Error('The project two is missing')
    const other = vercel.deploy(project)
    vercel.remove(other.id)
    const [cleanup, ...more] = await webhooks('cleanup', 1)
    expect(cleanup).toMatchObject({ deploymentId: other.id, action: 'branch' })
    expect(more).toEqual([])
  })
})

test('a timeout, a skip and a failure send cancels for what is still at work when the dials say so', async () => {
  const dials = { cancelAfterTimeout: true, cancelAfterSkip: true, cancelAfterFailure: true }
  const { vercel, deployment, update, webhooks } = await twoActions({
    dials,
    provisioningTimeoutMs: 200,
  })
  await update(deployment, { status: 'failed' }, 0)
  expect(await webhooks('cancel', 1)).toMatchObject([{ action: 'seed' }])
  const project = vercel.projects[0]
  if (!project) throw new Error('The project is missing')
  const skipped = vercel.deploy(project)
  vercel.skip(skipped.id)
  expect((await webhooks('cancel', 2))[1]).toMatchObject({ deploymentId: skipped.id })
  const late = vercel.deploy(project)
  expect((await webhooks('cancel', 3))[2]).toMatchObject({ deploymentId: late.id })
  expect(vercel.deployment(late.id).integrations?.status).toBe('timeout')
  expect(() => vercel.timeOut(late.id)).toThrow('cannot be timed out')
  const hurried = vercel.deploy(project)
  vercel.timeOut(hurried.id)
  expect(vercel.deployment(hurried.id)).toMatchObject({
    readyState: 'ERROR',
    integrations: { status: 'timeout' },
  })
})

describe('a canceled action', () => {
  test('fails the deployment of a required resource, and is told alone', async () => {
    const { vercel, deployment, webhooks } = await twoActions()
    vercel.cancelAction(deployment.id, { slug: 'seed' })
    expect(await webhooks('cancel', 1)).toMatchObject([{ action: 'seed' }])
    expect(vercel.deployment(deployment.id)).toMatchObject({
      readyState: 'ERROR',
      integrations: { status: 'error' },
      errorMessage: expect.stringContaining('the action was canceled'),
    })
    expect(() => vercel.cancelAction(deployment.id)).toThrow('cannot be canceled')
  })

  test('of an optional resource lets the build go on with the others, and takes no update', async () => {
    const { vercel, update } = await vercelForTest({ dials: { updateAfterEnd: 410 } })
    const project = vercel.createProject({
      name: 'optional',
      resources: [{ resourceId: 'db', required: false, actions: TWO_ACTIONS }],
    })
    const deployment = vercel.deploy(project)
    vercel.cancelAction(deployment.id, { slug: 'seed' })
    expect((await update(deployment, succeeded(), 1)).status).toBe(410)
    expect(vercel.deployment(deployment.id).integrations?.status).toBe('pending')
    await update(deployment, succeeded({ DATABASE_URL: 'branch' }), 0)
    const ready = await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
    expect(ready.env).toEqual({ DATABASE_URL: 'branch' })
  })
})

test('an action that failed gets a cancel for it when the dial says so', async () => {
  const { deployment, update, webhooks } = await twoActions({ dials: { cancelFailedAction: true } })
  await update(deployment, { status: 'failed' }, 0)
  expect(await webhooks('cancel', 1)).toMatchObject([{ action: 'branch' }])
})

describe('a deleted deployment', () => {
  async function deleted(options: Parameters<typeof vercelForTest>[0] = {}) {
    const environment = await vercelForTest(options)
    const { vercel, project, update, request } = environment
    const { id } = vercel.deploy(project)
    await update(vercel.deployment(id), succeeded())
    await vercel.until(id, ({ readyState }) => readyState === 'READY')
    vercel.remove(id)
    return { ...environment, id, read: () => request(`/v13/deployments/${id}`) }
  }

  test('can be restored, and then reads as the dial says', async () => {
    const { vercel, id, read } = await deleted()
    vercel.restore(id)
    expect((await read()).body).toMatchObject({
      readyState: 'READY',
      deletedAt: null,
      undeletedAt: expect.any(Number),
    })
    vercel.dials.restoredDeployment = 'deleted-at-kept'
    const { deletedAt, undeletedAt } = (await read()).body
    expect(undeletedAt).toBeGreaterThanOrEqual(deletedAt)
    expect(() => vercel.restore(id)).toThrow('cannot be restored')
    vercel.remove(id)
    expect((await read()).status).toBe(404)
  })

  test('sends its cleanup only when it can no longer be restored, if the dial says so', async () => {
    const { vercel, id, read, webhooks } = await deleted({
      dials: { cleanupAt: 'purge', removedDeployment: 'soft-deleted' },
    })
    expect((await read()).body).toMatchObject({ deletedAt: expect.any(Number) })
    vercel.purge(id)
    expect(await webhooks('cleanup', 1)).toHaveLength(1)
    expect((await read()).status).toBe(404)
    expect(() => vercel.restore(id)).toThrow('cannot be restored')
    expect(() => vercel.purge(id)).toThrow('cannot be deleted for good')
  })
})
