import { expect, test } from 'vitest'
import { type TimelineEvent, startSimulator } from '../../src/simulator/index.ts'
import { PRODUCT, succeeded, vercelForTest } from './vercel-for-test.ts'

test('waiting in vain says for what, and how the deployment stands without a secret', async () => {
  const { vercel, project, update } = await vercelForTest({ buildMs: 60_000 })
  const deployment = vercel.deploy(project)
  await update(deployment, succeeded({ DATABASE_URL: 'the-secret' }))
  const waiting = vercel.until(deployment.id, ({ readyState }) => readyState === 'READY', {
    timeoutMs: 10,
    description: 'the end of the build',
  })
  await expect(waiting).rejects.toThrow(
    /10 ms waiting for the end of the build of dpl_.*"BUILDING"/,
  )
  await expect(waiting).rejects.not.toThrow('the-secret')
  await expect(vercel.until('dpl_none', () => true)).rejects.toThrow('There is no deployment')
})

test('closing ends every wait, and may be repeated', async () => {
  const { vercel, project } = await vercelForTest()
  const deployment = vercel.deploy(project)
  const waiting = vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
  const watching = vercel.untilEvent(() => false)
  const ended = Promise.allSettled([waiting, watching])
  await vercel.close()
  expect(await ended).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  await vercel.close()
})

test('a listener hears the story of a deployment in order', async () => {
  const heard: TimelineEvent[] = []
  const { vercel, project, update } = await vercelForTest({ onEvent: (event) => heard.push(event) })
  const deployment = vercel.deploy(project)
  await update(deployment, { status: 'running', statusText: 'Copying' })
  await update(deployment, succeeded())
  await vercel.until(deployment.id, ({ readyState }) => readyState === 'READY')
  const story = heard.flatMap((event) => (event.kind === 'deployment' ? [event.change] : []))
  expect(story).toEqual(['created', 'action-running', 'action-succeeded', 'build-started', 'ready'])
  expect(heard).toContainEqual(
    expect.objectContaining({ change: 'action-running', action: 'branch', text: 'Copying' }),
  )
})

test('a port that is taken is an error', async () => {
  const { vercel } = await vercelForTest()
  const port = Number(new URL(vercel.url).port)
  const second = startSimulator({ port, clientSecret: 's', accessToken: 't', product: PRODUCT })
  await expect(second).rejects.toThrow('EADDRINUSE')
})
