import { randomUUID } from 'node:crypto'
import { msToTs } from '@temporalio/common/lib/time.js'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { connectTemporal, type TemporalLink } from '../../src/temporal/connection.ts'
import {
  checkNamespace,
  checkPollers,
  prepareNamespace,
} from '../../src/temporal/prepare-namespace.ts'
import { createWorker } from '../../src/temporal/worker.ts'
import { createActivities } from '../../activities/index.ts'
import { secretDeriver } from '../../src/config/derive-secret.ts'
import { silentLog } from '../../src/log.ts'
import { pingTemporal, proveWorkflows } from '../../src/temporal/readiness.ts'
import { tcpProxy } from './tcp-proxy.ts'

let server: TemporalLink
beforeAll(async () => {
  const connectionOptions = { address: inject('devServer').address }
  const settings = { connectionOptions, namespace: 'default' }
  server = await connectTemporal(settings, {})
})
afterAll(() => server.connection.close())

/** A namespace as an operator makes one, with nothing of Holdpoint's in it. */
async function freshNamespace(retention: '1 day' | '5 days'): Promise<TemporalLink> {
  const namespace = `fresh-${randomUUID().slice(0, 8)}`
  await server.connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs(retention),
  })
  return { ...server, namespace }
}

const hoursKept = async (link: TemporalLink) => {
  const { config } = await link.connection.workflowService.describeNamespace({
    namespace: link.namespace,
  })
  return Number(config?.workflowExecutionRetentionTtl?.seconds) / 3600
}

test('a fresh namespace lacks two things, each told with the command that mends it', async () => {
  const link = await freshNamespace('1 day')
  const [attributes, retention] = await checkNamespace(link)
  expect(attributes).toMatchObject({ subject: 'Search attributes', level: 'error' })
  expect(attributes?.message).toContain('HoldpointPhase')
  expect(attributes?.fix?.split(' && ')).toHaveLength(5)
  expect(attributes?.fix).toContain(
    `temporal operator search-attribute create -n ${link.namespace} --name HoldpointInstallation --type Keyword`,
  )
  expect(retention).toMatchObject({
    subject: 'Retention',
    level: 'error',
    message: expect.stringContaining('24 hours'),
    fix: `temporal operator namespace update -n ${link.namespace} --retention 72h`,
  })
})

test('preparing gives it both, and the second time changes nothing', async () => {
  const link = await freshNamespace('1 day')
  for (let time = 1; time <= 2; time++) {
    await prepareNamespace(link)
    // The server tells of new search attributes a moment later.
    await expect
      .poll(() => checkNamespace(link), { timeout: 10_000 })
      .toMatchObject([{ level: 'ok' }, { level: 'ok' }])
    expect(await hoursKept(link)).toBe(72)
  }
})

test('a longer retention is left alone', async () => {
  const link = await freshNamespace('5 days')
  await prepareNamespace(link)
  expect(await hoursKept(link)).toBe(120)
})

test('a namespace that is not there is an error, not a finding', async () => {
  const link = { ...server, namespace: 'nowhere' }
  await expect(checkNamespace(link)).rejects.toThrow()
})

describe('a worker', () => {
  test('that nobody started is missed, with the command that starts it', async () => {
    expect(await checkPollers(await freshNamespace('1 day'), 'queue')).toMatchObject({
      level: 'warning',
      message: expect.stringContaining('none polls queue'),
      fix: expect.stringContaining('holdpoint worker'),
    })
  })

  test('that polls is seen, and proves Temporal, the queue and itself by one run', async () => {
    const fresh = await freshNamespace('5 days')
    const { client, connection } = await connectTemporal(
      { connectionOptions: { address: inject('devServer').address }, namespace: fresh.namespace },
      {},
    )
    const link = { client, connection, namespace: fresh.namespace }
    onTestFinished(() => connection.close())
    await expect(proveWorkflows(link, 'queue')).rejects.toMatchObject({
      code: 'no_worker',
      retryable: true,
    })
    const worker = await createWorker(link, {
      taskQueue: 'queue',
      workflowBundle: { codePath: inject('workflowBundle') },
      dataConverter: {},
      activities: createActivities({
        actions: new Map(),
        checks: new Map(),
        products: new Map(),
        vercel: { baseUrl: '', timeoutMs: 1, accessToken: () => Promise.resolve('') },
        holdpoint: 'holdpoint for tests',
        deriveSecrets: secretDeriver(['key']),
        confirmAttempt: () => Promise.resolve(),
        log: silentLog,
        cancelRun: () => Promise.resolve(),
        runs: {
          latest: () => Promise.resolve('none'),
          end: () => Promise.resolve('none'),
          withdraw: () => Promise.resolve(),
          withdrawOpen: () => Promise.resolve(0),
          removeBareResource: () => Promise.resolve(),
          resume: () => Promise.resolve(),
        },
      }),
    })
    await worker.runUntil(async () => {
      // Its first poll takes a moment to be known.
      await vi.waitFor(() => proveWorkflows(link, 'queue'), { timeout: 10_000 })
      expect(await checkPollers(link, 'queue')).toMatchObject({ level: 'ok' })
    })
  })
})

test('a Temporal that does not answer is noticed in time', async () => {
  const proxy = await tcpProxy(inject('devServer').address)
  const link = await connectTemporal(
    { connectionOptions: { address: proxy.address }, namespace: 'default' },
    {},
  )
  onTestFinished(() => link.connection.close())
  await pingTemporal(link, 5000)
  proxy.fallSilent()
  await expect(pingTemporal(link, 100)).rejects.toThrow('within 100 ms')
})

test('a namespace that Temporal does not have is told with the command that creates it', async () => {
  const missing = { ...server, namespace: 'nowhere' }
  await expect(prepareNamespace(missing)).rejects.toMatchObject({
    code: 'namespace_missing',
    retryable: false,
    message: expect.stringContaining('namespace create --retention 72h nowhere'),
  })
})
