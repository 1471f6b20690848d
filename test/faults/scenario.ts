import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { freePort } from '../../src/temporal/embedded-ports.ts'
import {
  type DeploymentSnapshot,
  type Project,
  type Simulator,
  startSimulator,
} from '../../src/simulator/index.ts'
import { dropSource, newName, onDatabase, sql } from '../drivers/postgres-under-test.ts'
import type { HoldpointProcess, InstalledHoldpoint } from '../end-to-end/installed-holdpoint.ts'
import { describeOpenRuns } from './describe-open-runs.ts'
import { checkGuarantees, type Guarantees } from './check-guarantees.ts'
import { httpProtocol, grpcProtocol, postgresProtocol } from './protocols.ts'
import { type InterceptingProxy, interceptCalls } from './intercepting-proxy.ts'
import { createRandom, type Random } from './random.ts'
import { writeResult } from './results.ts'
import type { Servers } from './servers.ts'

/** `temporal.config.ts` of every scenario. */
export const CONFIGURATION = `
import { branchDatabase, defineConfig, postgres, setEnvironment } from 'holdpoint'

const deadline = process.env.DEADLINE
export default defineConfig({
  temporal: { taskQueue: 'deployment-actions' },
  actions: {
    branch: branchDatabase({
      name: 'Branch database',
      driver: postgres({ server: process.env.POSTGRES_URL }),
      deadline,
    }),
    shared: branchDatabase({
      name: 'Database of the git branch',
      driver: postgres({ server: process.env.POSTGRES_URL }),
      scope: 'git-branch',
      keepFor: '1 hour',
      deadline,
    }),
    env: setEnvironment({ name: 'Set environment', variables: { FEATURE_FLAGS: 'preview' }, deadline }),
  },
})
`

/**
 * What a deployment is about: a branch of a small source, one that it shares with others of its git branch, variables,
 * or a branch of a source that is not there.
 */
export type Kind = 'branch' | 'shared' | 'env' | 'broken'

const GIT_BRANCHES = ['feature/a', 'feature/b', 'feature/c', 'feature/d']

export interface ScenarioSettings {
  readonly servers: Servers
  readonly installed: InstalledHoldpoint
  readonly seed: number
  /** Of both actions; 2 minutes unless said. */
  readonly deadline?: string
  /** Reaches these servers by proxies on which calls can be counted and cut. */
  readonly intercept?: readonly ('vercel' | 'postgres' | 'temporal')[]
}

/** One lane of a scenario: a Vercel, a namespace, a source, and one or two Holdpoint processes. */
export interface Lane {
  readonly vercel: Simulator
  readonly random: Random
  readonly client: Client
  readonly proxies: Partial<Record<'vercel' | 'postgres' | 'temporal', InterceptingProxy>>
  /** What went wrong on purpose, by name. */
  readonly faults: Record<string, number>
  /** The deployments whose builds are held. */
  readonly held: ReadonlySet<string>
  deploy(kind: Kind): DeploymentSnapshot
  /** Starts Holdpoint in this place and returns when it is ready: 0 unless said, where webhooks go. */
  start(place?: 0 | 1): Promise<void>
  /** Sends a signal to the process in this place, and counts it as a fault. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM', place?: 0 | 1): void
  /** Has webhooks go to the process in this place. */
  direct(place: 0 | 1): void
  readonly count: (fault: string) => void
  /** Resolves when all webhooks of these deployments were accepted. */
  untilAccepted(ids: readonly string[]): Promise<void>
  /** Resolves when all webhooks of the deployment were accepted and no run of its action is open. */
  ended(deploymentId: string): Promise<void>
  /** Waits until nothing is under way any more. Answers what still is after so long: a violation. */
  untilQuiet(limitMs: number): Promise<string[]>
  /** What each process logged. */
  outputs(): string[]
  /** All that is wrong at quiescence. */
  check(): Promise<Guarantees>
  /** Ends the processes and forgets everything. */
  close(): Promise<void>
}

const HOSTS = ['vercel', 'postgres', 'temporal'] as const

export async function openLane(settings: ScenarioSettings): Promise<Lane> {
  const { servers, installed, seed, intercept = [] } = settings
  const { postgresUrl } = servers
  const random = createRandom(seed)
  const { namespace, client } = await servers.createNamespace()
  const source = await createSource(postgresUrl)
  const [clientSecret, accessToken] = [secret(), secret()]
  const accepted = new Set<string>()
  const held = new Set<string>()
  const faults: Record<string, number> = {}
  const count = (fault: string) => void (faults[fault] = (faults[fault] ?? 0) + 1)
  const vercel = await startSimulator({
    clientSecret,
    accessToken,
    product: {
      id: 'product',
      name: 'Product',
      actions: ['branch', 'shared', 'env'].map((slug) => ({ slug, name: slug })),
    },
    provisioningTimeoutMs: 20 * 60_000,
    retry: { baseMs: 200, maxDelayMs: 2_000, answerTimeoutMs: 10_000 },
    dials: {
      updateLimit: { total: Infinity, windowMs: 60_000 },
      readLimit: { total: Infinity, windowMs: 60_000 },
    },
    onEvent(event) {
      if (event.kind === 'deployment' && event.change === 'created') held.add(event.deploymentId)
      else if (event.kind === 'deployment' && !event.action) held.delete(event.deploymentId)
      if (event.kind === 'request' && event.fault !== undefined)
        count(typeof event.fault === 'string' ? event.fault : `${event.fault.status}`)
      if (event.kind !== 'webhook' || event.result.kind !== 'answered') return
      if (event.result.status < 200 || event.result.status > 299) return
      accepted.add(webhookName(event.type, event.deploymentId, event.action))
    },
  })

  const ports = {
    vercel: Number(new URL(vercel.url).port),
    postgres: servers.postgres.port,
    temporal: servers.temporal.port,
  }
  const protocols = { vercel: httpProtocol, postgres: postgresProtocol, temporal: grpcProtocol }
  const proxies: Lane['proxies'] = {}
  for (const host of HOSTS) {
    if (!intercept.includes(host)) continue
    const proxy = await interceptCalls(protocols[host], ports[host])
    proxies[host] = proxy
    ports[host] = proxy.port
  }
  const asSeenByHoldpoint = new URL(postgresUrl)
  asSeenByHoldpoint.port = String(ports.postgres)
  const variables = {
    HOST: '127.0.0.1',
    VERCEL_API_URL: `http://127.0.0.1:${ports.vercel}`,
    INTEGRATION_CLIENT_SECRET: clientSecret,
    VERCEL_ACCESS_TOKEN: accessToken,
    POSTGRES_URL: asSeenByHoldpoint.href,
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: namespace,
    DEADLINE: settings.deadline ?? '2 minutes',
    // The local Vercel takes any number, but where a test says otherwise.
    HOLDPOINT_UPDATES_PER_MINUTE: '1000000',
  }
  const places = [await freePort('127.0.0.1'), await freePort('127.0.0.1')] as const
  const direct = (place: 0 | 1) => {
    vercel.webhookUrl = `http://127.0.0.1:${places[place]}/webhooks/vercel`
  }
  direct(0)
  const running: [HoldpointProcess | undefined, HoldpointProcess | undefined] = [
    undefined,
    undefined,
  ]
  const ended: HoldpointProcess[] = []
  const outputs = () => [...ended, ...running].flatMap((process) => process?.output() ?? [])

  const project = (slug: string, resourceId: string): Project =>
    vercel.createProject({
      name: `storefront-${slug}`,
      resources: [{ resourceId, actions: { [slug]: { environments: ['preview'] } } }],
    })
  const projects: Record<Kind, Project> = {
    branch: project('branch', source),
    shared: project('shared', source),
    env: project('env', source),
    broken: project('branch', `${source}_which_is_not_there`),
  }

  return {
    vercel,
    random,
    client,
    proxies,
    faults,
    held,
    count,
    direct,
    deploy: (kind) =>
      vercel.deploy(projects[kind], {
        environment: 'preview',
        gitBranch: kind === 'shared' ? (random.pick(GIT_BRANCHES) ?? '') : 'feature/x',
      }),
    async start(place = 0) {
      const before = running[place]
      if (before) {
        await before.exited
        ended.push(before)
      }
      const process = await installed.start(['start'], {
        ...variables,
        PORT: String(places[place]),
      })
      running[place] = process
      await untilReady(`http://127.0.0.1:${places[place]}`, process)
    },
    signal(signal, place = 0) {
      count(signal)
      running[place]?.kill(signal)
    },
    async untilAccepted(ids) {
      const isAccepted = (id: string) =>
        notAccepted({ vercel, client, accepted }, vercel.deployment(id)).length === 0
      while (!ids.every(isAccepted)) await sleep(10)
    },
    ended: (id) => untilEnded({ vercel, client, accepted }, id),
    untilQuiet: (limitMs) => untilQuiet({ vercel, client, accepted }, limitMs),
    outputs,
    check() {
      return checkGuarantees({
        vercel,
        client,
        postgresUrl,
        source,
        outputs: outputs(),
        secrets: { clientSecret, accessToken, postgresPassword: new URL(postgresUrl).password },
      })
    },
    async close() {
      await vercel.close()
      for (const process of running) {
        // One that stands still is killed, too.
        process?.kill('SIGKILL')
        await process?.exited
      }
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()))
      await dropSource(postgresUrl, source)
    },
  }
}

export interface Tally {
  actions: number
  faults: Record<string, number>
  violations: string[]
  drainMs: number
  /** More figures, by name. */
  figures: Record<string, number | string>
}

/**
 * Waits until all lanes are quiet, checks them, closes them, and tells and writes down the result. Answers the
 * violations.
 */
export async function finish(
  scenario: string,
  lanes: readonly Lane[],
  { seed, limitMs = 120_000, figures = {} }: FinishOptions,
): Promise<string[]> {
  const startedAt = performance.now()
  const violations: string[] = []
  const faults: Record<string, number> = {}
  const ends: Record<string, number> = {}
  let actions = 0
  await Promise.all(
    lanes.map(async (lane) => {
      const unrest = await lane.untilQuiet(limitMs)
      violations.push(...unrest)
      if (unrest.length > 0)
        for (const line of await describeOpenRuns(lane.client)) console.log(line)
      if (unrest.length > 0) await keepLogs(lane)
    }),
  )
  const drainMs = Math.round(performance.now() - startedAt)
  for (const lane of lanes) {
    const checked = await lane.check()
    violations.push(...checked.violations)
    add(ends, checked.ends)
    add(faults, lane.faults)
    actions += lane.vercel.deployments().reduce((sum, each) => sum + each.actions.length, 0)
    await lane.close()
  }
  await writeResult({ scenario, actions, faults, violations, drainMs, seed, ends, figures })
  return violations
}

async function keepLogs(lane: Lane): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-faults-logs-'))
  for (const [index, output] of lane.outputs().entries())
    await writeFile(join(directory, `${index}.log`), output)
  console.log(`What the processes logged is kept in ${directory}.`)
}

export interface FinishOptions {
  readonly seed: number
  /** How long it may take until all is quiet. */
  readonly limitMs?: number
  readonly figures?: Record<string, number | string>
}

function add(sum: Record<string, number>, more: Record<string, number>): void {
  for (const [name, number] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + number
}

function secret(): string {
  return randomBytes(24).toString('base64url')
}

async function createSource(postgresUrl: string): Promise<string> {
  const name = newName()
  await sql(postgresUrl, `CREATE DATABASE ${name}`)
  await sql(postgresUrl, `REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`)
  await sql(
    onDatabase(postgresUrl, name),
    `CREATE TABLE products (id integer PRIMARY KEY, name text NOT NULL);
     INSERT INTO products VALUES (1, 'anvil'), (2, 'rope'), (3, 'paint')`,
  )
  return name
}

async function untilReady(url: string, process: HoldpointProcess): Promise<void> {
  let gone = false
  void process.exited.then(() => (gone = true))
  for (;;) {
    const status = await fetch(`${url}/readyz`).then(
      (answer) => answer.status,
      () => undefined,
    )
    // Whoever kills it while it starts, starts it again.
    if (status === 200 || gone) return
    await sleep(25)
  }
}

function webhookName(type: string, deploymentId = '', action = ''): string {
  return `${type.split('.').at(-1)} ${deploymentId} ${action}`
}

interface Watched {
  readonly vercel: Simulator
  readonly client: Client
  /** The webhooks that were answered with 2xx. */
  readonly accepted: ReadonlySet<string>
}

const ENDED_WITHIN_MS = 90_000

async function untilEnded(watched: Watched, id: string): Promise<void> {
  const deadline = performance.now() + ENDED_WITHIN_MS
  for (;;) {
    const deployment = watched.vercel.deployment(id)
    const runs = deployment.actions.map(({ resourceId, slug }) =>
      watched.client.workflow
        .getHandle(
          actionWorkflowId({
            installationId: deployment.installationId,
            resourceId,
            deploymentId: id,
            action: slug,
          }),
        )
        .describe()
        .then(
          ({ status }) => status.name,
          (error: unknown) => String(error),
        ),
    )
    const open = (await Promise.all(runs)).filter((status) => !CLOSED.has(status))
    const unrest = [...notAccepted(watched, deployment), ...open]
    if (unrest.length === 0) return
    if (performance.now() > deadline)
      throw new Error(`${id} has not ended within ${ENDED_WITHIN_MS} ms: ${unrest.join(', ')}`)
    await sleep(100)
  }
}

const CLOSED = new Set(['COMPLETED', 'FAILED', 'CANCELLED'])

function notAccepted({ accepted }: Watched, deployment: DeploymentSnapshot): string[] {
  const { id, actions, canceledAt, deletedAt } = deployment
  const sent = ['start', ...(canceledAt ? ['cancel'] : []), ...(deletedAt ? ['cleanup'] : [])]
  return actions.flatMap(({ slug }) =>
    sent
      .filter((kind) => !accepted.has(webhookName(kind, id, slug)))
      .map((kind) => `the ${kind} of ${slug} of ${id} was not accepted`),
  )
}

async function untilQuiet(watched: Watched, limitMs: number): Promise<string[]> {
  const deadline = performance.now() + limitMs
  let quietSince: number | undefined
  for (;;) {
    const unrest = await whatIsUnderWay(watched).catch((error: unknown) => [String(error)])
    if (unrest.length > 0) quietSince = undefined
    else quietSince ??= performance.now()
    // Lists of open runs may be a little behind.
    if (quietSince !== undefined && performance.now() - quietSince > 1_000) return []
    if (performance.now() > deadline && unrest.length > 0)
      return unrest.map((what) => `not quiet after ${limitMs} ms: ${what}`)
    await sleep(250)
  }
}

async function whatIsUnderWay(watched: Watched): Promise<string[]> {
  const { vercel, client } = watched
  const unrest: string[] = []
  for (const deployment of vercel.deployments()) {
    const { id, actions, integrations, canceledAt, deletedAt } = deployment
    unrest.push(...notAccepted(watched, deployment))
    if (integrations?.status === 'pending' && !canceledAt && !deletedAt)
      unrest.push(`${id} waits: ${actions.map(({ slug, status }) => `${slug} ${status}`).join()}`)
  }
  const query = 'ExecutionStatus = "Running"'
  const { count } = await client.workflow.count(query)
  if (count > 0) {
    const some: string[] = []
    for await (const { workflowId, type } of client.workflow.list({ query, pageSize: 10 }))
      if (some.push(`${type} ${workflowId}`) === 10) break
    unrest.push(`${count} runs are open, ${some.join(', ')}`)
  }
  return unrest.length > 5 ? [`${unrest.length} things`, ...unrest.slice(-5)] : unrest
}
