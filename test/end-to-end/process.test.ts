import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test, type TestContext, vi } from 'vitest'
import { signWebhook, type WebhookRecord } from '../../src/simulator/index.ts'
import { startDevServer } from '../../src/temporal/dev-server.ts'
import { freePort } from '../../src/temporal/embedded-ports.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { eventually, startHoldpoint } from './holdpoint-under-test.ts'
import {
  type HoldpointProcess,
  installHoldpoint,
  type InstalledHoldpoint,
} from './installed-holdpoint.ts'

// Side by side, as they mostly wait: for processes to start, and for Temporal to notice that one is gone.
vi.setConfig({ testTimeout: 180_000 })

const CONFIGURATION = `
import { branchDatabase, defineConfig, postgres } from 'holdpoint'

export default defineConfig({
  temporal: { taskQueue: 'deployment-actions' },
  actions: {
    branch: branchDatabase({
      name: 'Branch database',
      driver: postgres({ server: process.env.POSTGRES_URL }),
      deadline: '1 minute',
    }),
  },
})
`

let installed: InstalledHoldpoint
beforeAll(async () => {
  installed = await installHoldpoint(CONFIGURATION)
})
afterAll(() => installed.remove())

async function readiness(url: string) {
  const answer = await fetch(`${url}/readyz`)
  return { status: answer.status, body: await answer.json() }
}

/** A Vercel, a namespace and a source for the processes of one test, which end with it. */
async function prepare({ onTestFinished }: TestContext) {
  const holdpoint = await startHoldpoint({ elsewhere: true })
  const { vercel } = holdpoint
  const processes: HoldpointProcess[] = []
  onTestFinished(async () => {
    try {
      // While the last process still runs, which takes back what the test made.
      await holdpoint.close()
    } finally {
      for (const { kill } of processes) kill('SIGKILL')
      await Promise.all(processes.map(({ exited }) => exited))
    }
  })
  const start = async (args: string[], variables = holdpoint.variables) => {
    const started = await installed.start(args, variables)
    processes.push(started)
    return started
  }
  return {
    holdpoint,
    vercel,
    start,
    /** A process that takes webhooks and does the work; resolves when it is ready. */
    startReady: async () => {
      const started = await start(['start'])
      vercel.webhookUrl = `${await started.listening()}/webhooks/vercel`
      await started.logged('service.ready')
      return started
    },
    expectReleasedOnce: async (id: string) => {
      const released = await vercel.until(id, ({ readyState }) => readyState === 'READY', {
        timeoutMs: 25_000,
      })
      const [action] = released.actions
      expect(action).toMatchObject({ status: 'succeeded', terminalBodies: 1, terminalCount: 1 })
      expect(
        await sql(released.env['DATABASE_URL'] ?? '', 'SELECT count(*)::int FROM products'),
      ).toEqual([{ count: 3 }])
    },
  }
}

test.concurrent(
  'what was answered with 2xx survives a kill -9 in the next moment: the next process finishes it',
  async (context) => {
    const { holdpoint, vercel, startReady, expectReleasedOnce } = await prepare(context)
    const first = await startReady()
    vercel.dials.latencyMs = 500
    vercel.dials.dropWebhooks = ['deployment.integration.action.start']
    const { id } = holdpoint.deploy()
    const start = vercel.actionEvent('start', id)
    const { status } = await vercel.sendWebhook(start)
    first.kill('SIGKILL')
    expect(status).toBe(200)
    expect(await first.exited).toBe(null)
    expect(vercel.deployment(id).actions[0]?.status).not.toBe('succeeded')
    holdpoint.resetVercel()
    await startReady()
    await expectReleasedOnce(id)
  },
)

test.concurrent(
  'SIGTERM drains: the process ends with code 0, and the next one finishes what was in hand',
  async (context) => {
    const { holdpoint, vercel, startReady, expectReleasedOnce } = await prepare(context)
    const first = await startReady()
    vercel.dials.latencyMs = 500
    const { id } = holdpoint.deploy()
    await vercel.untilEvent((event) => event.kind === 'webhook')
    first.kill('SIGTERM')
    expect(await first.exited).toBe(0)
    expect(first.output()).toContain('"event":"service.closed"')
    expect(vercel.deployment(id).actions[0]?.status).not.toBe('succeeded')
    holdpoint.resetVercel()
    await startReady()
    await expectReleasedOnce(id)
  },
)

test.concurrent(
  'server and worker work as two processes, and the server is ready only once the worker is there',
  async (context) => {
    const { holdpoint, vercel, start, expectReleasedOnce } = await prepare(context)
    const server = await start(['server'])
    const url = await server.listening()
    vercel.webhookUrl = `${url}/webhooks/vercel`
    await eventually(async () => {
      const answer = await fetch(`${url}/readyz`)
      expect([answer.status, await answer.text()]).toEqual([
        503,
        expect.stringMatching(/No worker .*task queue deployment-actions/),
      ])
    })
    // What comes meanwhile is accepted and waits.
    const early = holdpoint.deploy()
    await vercel.untilEvent((event) => event.kind === 'webhook')
    const { PORT: _, INTEGRATION_CLIENT_SECRET: secret = '', ...variables } = holdpoint.variables
    const worker = await start(['worker'], {
      ...variables,
      INTEGRATION_CLIENT_SECRET: secret,
    })
    await server.logged('service.ready')
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    await expectReleasedOnce(early.id)
    await expectReleasedOnce(holdpoint.deploy().id)
    expect(worker.output()).not.toContain('server.listening')
  },
)

test.concurrent(
  'what cannot run ends with code 1, and names what is missing or wrong',
  async (context) => {
    const { holdpoint, start } = await prepare(context)
    const { INTEGRATION_CLIENT_SECRET: _, ...unsigned } = holdpoint.variables
    const { VERCEL_ACCESS_TOKEN: __, ...unauthorized } = holdpoint.variables
    const { port } = new URL(holdpoint.vercel.url)
    const attempts: [args: string[], variables: Record<string, string>, named: string][] = [
      [['start'], unsigned, 'INTEGRATION_CLIENT_SECRET'],
      [['start'], unauthorized, 'VERCEL_ACCESS_TOKEN'],
      [['start'], { ...holdpoint.variables, PORT: 'eighty' }, 'PORT'],
      [['start'], { ...holdpoint.variables, PORT: port }, `Port ${port}`],
      [['start', '--config', 'nowhere.ts'], holdpoint.variables, 'nowhere.ts'],
    ]
    await Promise.all(
      attempts.map(async ([args, variables, named]) => {
        const attempt = await start(args, variables)
        expect(await attempt.exited).toBe(1)
        expect(attempt.output()).toContain(named)
        for (const secret of [
          holdpoint.secrets.clientSecret,
          holdpoint.secrets.accessToken,
          holdpoint.postgresUrl,
        ])
          expect(attempt.output()).not.toContain(secret)
      }),
    )
  },
)

test.concurrent(
  'the demo tells of a release, a cancel, a cleanup and an installation that goes, and ends with code 0 as nothing is left',
  async (context) => {
    const { holdpoint, start } = await prepare(context)
    const demo = await start(['demo'])
    expect([await demo.exited, demo.output()]).toEqual([0, ''])
    const told = demo.printed()
    expect(told).toMatch(/branch is running, answered 202[^]*branch is succeeded, answered 202/)
    expect(told).toMatch(/DATABASE_URL leads to hp_\w+, as hp_\w+: 3 products, as in its source/)
    for (const phase of ['succeeded', 'canceled', 'cleaned'])
      expect(told).toContain(`branch: ${phase}`)
    expect(told).toContain('All four stories ended as they must')
    for (const secret of [holdpoint.secrets.clientSecret, holdpoint.postgresUrl])
      expect(told).not.toContain(secret)
  },
)

test.concurrent(
  'the demo ends with code 1 when a story does not end as it must',
  async (context) => {
    const { start } = await prepare(context)
    // A branch action in name only: the build gets no database.
    await installed.write(
      'branchless.mjs',
      "export default { actions: { branch: { name: 'None' } } }",
    )
    const demo = await start(['demo', '--config', 'branchless.mjs'])
    expect(await demo.exited).toBe(1)
    expect(demo.output()).toContain('The build got no DATABASE_URL')
  },
)

test.concurrent(
  'while Temporal is down, webhooks are refused with 503 and /readyz says why; after it is back, they come again and are worked off',
  async ({ onTestFinished }) => {
    const directory = await mkdtemp(join(tmpdir(), 'holdpoint-outage-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const port = await freePort('127.0.0.1')
    const start = () =>
      startDevServer({
        cliPath: inject('cliPath'),
        directory: join(directory, 'data'),
        logFile: join(directory, 'server.log'),
        port,
      })
    let temporal = await start()
    onTestFinished(() => temporal.stop())
    const ours = await startHoldpoint({
      temporal: {
        address: temporal.address,
        namespace: temporal.namespace,
        client: new Client({ connection: Connection.lazy({ address: temporal.address }) }),
        workflowBundle: { codePath: inject('workflowBundle') },
        teardown: () => Promise.resolve(),
      },
    })
    onTestFinished(() => ours.close())

    await temporal.stop()
    const { id } = ours.deploy()
    const rawBody = JSON.stringify({
      id: 'uev_1',
      createdAt: Date.now(),
      ...ours.vercel.actionEvent('start', id),
    })
    const [{ result }, answer, unready] = await Promise.all([
      ours.vercel.untilEvent(
        (event): event is WebhookRecord => event.kind === 'webhook' && event.deploymentId === id,
      ),
      fetch(`${ours.url}/webhooks/vercel`, {
        method: 'POST',
        body: rawBody,
        headers: { 'x-vercel-signature': signWebhook(rawBody, ours.secrets.clientSecret) },
      }),
      readiness(ours.url),
    ])
    expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([503, 5])
    expect(result).toMatchObject({ kind: 'answered', status: 503 })
    expect(unready).toEqual({
      status: 503,
      body: { error: { code: 'not_ready', message: expect.stringContaining('Temporal') } },
    })

    temporal = await start()
    const released = await ours.vercel.until(id, ({ readyState }) => readyState === 'READY', {
      timeoutMs: 20_000,
    })
    expect(released.actions[0]).toMatchObject({ status: 'succeeded', terminalBodies: 1 })
    await eventually(async () => expect((await readiness(ours.url)).status).toBe(200))
  },
)
