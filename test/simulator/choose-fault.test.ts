import { expect, test } from 'vitest'
import { succeeded, vercelForTest } from './vercel-for-test.ts'

test('a planned fault hits the requests it matches, as often as it says, and no others', async () => {
  const { vercel, project, request, update } = await vercelForTest()
  const deployment = vercel.deploy(project)
  const read = () => request(`/v13/deployments/${deployment.id}`)
  vercel.dials.failNext.push(
    { match: { kind: 'get' }, answer: { status: 503, headers: { 'retry-after': '2' } }, times: 2 },
    { match: { status: 'succeeded' }, answer: { status: 429, body: { error: { code: 'x' } } } },
    { match: { deploymentId: 'dpl_other' }, answer: 'cut-before' },
  )
  expect(await update(deployment, { status: 'running' })).toMatchObject({ status: 202 })
  const failed = await read()
  expect(failed).toMatchObject({ status: 503, body: { error: { code: expect.any(String) } } })
  expect(failed.headers.get('retry-after')).toBe('2')
  expect(await read()).toMatchObject({ status: 503 })
  expect(await read()).toMatchObject({ status: 200 })
  const limited = await update(deployment, succeeded())
  expect(limited).toMatchObject({ status: 429, body: { error: { code: 'x' } } })
  expect(vercel.deployment(deployment.id).actions[0]?.status).toBe('running')
  expect(await update(deployment, succeeded())).toMatchObject({ status: 202 })
  expect(vercel.dials.failNext).toHaveLength(1)
})

test('a connection cut before has had no effect, and one cut after has had all of it', async () => {
  const { vercel, project, update } = await vercelForTest()
  const deployment = vercel.deploy(project)
  vercel.dials.failNext.push({ answer: 'cut-before' }, { answer: 'cut-after' })
  await expect(update(deployment, succeeded({ A: '1' }))).rejects.toThrow('fetch failed')
  expect(vercel.deployment(deployment.id).actions[0]?.terminalCount).toBe(0)
  await expect(update(deployment, succeeded({ A: '1' }))).rejects.toThrow('fetch failed')
  expect(vercel.deployment(deployment.id).actions[0]?.terminalCount).toBe(1)
  const requests = vercel.records.filter(({ kind }) => kind === 'request')
  expect(requests).toMatchObject([
    { fault: 'cut-before' },
    { fault: 'cut-after', status: 202, body: { status: 'succeeded' } },
  ])
  expect(requests[0]).not.toHaveProperty('status')
})

test('a request that is never answered ends when its caller gives up', async () => {
  const { vercel, project, request } = await vercelForTest()
  const deployment = vercel.deploy(project)
  vercel.dials.failNext.push({ answer: 'no-answer' })
  const impatient = request(`/v13/deployments/${deployment.id}`, {
    signal: AbortSignal.timeout(30),
  })
  await expect(impatient).rejects.toThrow('timeout')
  await vercel.untilEvent((event) => event.kind === 'request' && event.fault === 'no-answer')
})

test('every answer takes as long as the dial says', async () => {
  const { vercel, project, request } = await vercelForTest({ dials: { latencyMs: 40 } })
  const startedAt = performance.now()
  await request(`/v13/deployments/${vercel.deploy(project).id}`)
  expect(performance.now() - startedAt).toBeGreaterThan(35)
})

test('random faults hit the same requests again with the same seed, and stop with the dial', async () => {
  const { vercel, project, request } = await vercelForTest()
  const deployment = vercel.deploy(project)
  const readMany = async () => {
    const statuses: (number | string)[] = []
    for (let count = 0; count < 40; count += 1)
      statuses.push(
        await request(`/v13/deployments/${deployment.id}`).then(
          ({ status }) => status,
          () => 'cut',
        ),
      )
    return statuses
  }
  vercel.dials.randomFaults = { rate: 0.3, seed: 7 }
  const first = await readMany()
  vercel.dials.randomFaults = { rate: 0.3, seed: 7 }
  expect(await readMany()).toEqual(first)
  expect(new Set(first)).toEqual(new Set([200, 503, 429, 'cut']))
  vercel.dials.randomFaults = undefined
  expect(new Set(await readMany())).toEqual(new Set([200]))
})
