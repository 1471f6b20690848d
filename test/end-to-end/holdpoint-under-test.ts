import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { expect, vi } from 'vitest'
import type { ActionPolicy } from '../../src/actions/action-policy.ts'
import type { AnyAction } from '../../src/actions/define-action.ts'
import type { Migration } from '../../src/actions/migration.ts'
import type { CheckDefinition } from '../../src/checks/define-check.ts'
import { type Service, type ServiceSettings, startService } from '../../src/cli/service.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import type { ActionKey } from '../../src/domain/action-key.ts'
import { branchRef } from '../../src/domain/branch-ref.ts'
import { branchDatabase, defineConfig, postgres, setEnvironment } from '../../src/index.ts'
import type { InstallationStore } from '../../src/installations/store.ts'
import { jsonLog, type Log } from '../../src/log.ts'
import type { AnyProduct } from '../../src/products/provision-resource.ts'
import {
  defaultDials,
  type DeployOptions,
  type DeploymentSnapshot,
  type Project,
  type Simulator,
  startSimulator,
} from '../../src/simulator/index.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import {
  connect,
  dropSource,
  newName,
  onDatabase,
  remainsOf,
  sql,
} from '../drivers/postgres-under-test.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { type RunEnd, runEnd } from '../workflows/run-end.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

/** The Temporal to run on: a namespace of one's own on the shared dev server, unless said. */
export type OwnTemporal = Pick<
  TemporalEnvironment,
  'address' | 'client' | 'namespace' | 'workflowBundle' | 'teardown'
>

export interface HoldpointSettings {
  readonly temporal?: OwnTemporal
  /** The test runs Holdpoint itself, in processes that get `variables`, and sets where webhooks go. */
  readonly elsewhere?: boolean
  readonly roles?: ServiceSettings['roles']
  /** Opens the installation store, at each start. */
  readonly store?: () => InstallationStore
  /** More variables of the environment. */
  readonly variables?: Record<string, string>
  /** Of the action `branch`. */
  readonly deadline?: string
  readonly scope?: 'deployment' | 'git-branch'
  readonly keepFor?: string
  readonly policy?: ActionPolicy
  /** With some, Vercel has the product's checks switched on; with some of v1 also the events of deployments. */
  readonly checks?: (postgresUrl: string) => Record<string, CheckDefinition>
  readonly products?: (postgresUrl: string) => Record<string, AnyProduct>
  /** Of the action `branch`. */
  readonly migrate?: Migration
  /** What the action `env` sets. */
  readonly env?: Record<string, string>
  /** Slugs that Vercel knows and the configuration lacks. */
  readonly undeclared?: readonly string[]
}

export interface HoldpointUnderTest {
  readonly vercel: Simulator
  /** Its previews run the action `branch` of the source. */
  readonly project: Project
  /** A database of its own with the table `products` of three rows, open to nobody but its owner. */
  readonly source: { readonly name: string; readonly url: string }
  readonly postgresUrl: string
  readonly temporal: OwnTemporal
  /** What the service has in its environment. */
  readonly variables: Record<string, string>
  readonly service: Service
  readonly url: string
  /** Everything the service logged, as it would be printed and with nothing blanked. */
  readonly logLines: string[]
  readonly secrets: { readonly clientSecret: string; readonly accessToken: string }
  /** A project whose previews run these actions of a resource; the source unless said. */
  createProject(slugs: readonly string[], resourceId?: string): Project
  deploy(project?: Project, options?: DeployOptions): DeploymentSnapshot
  /** Deploys, and waits until the deployment is ready. */
  release(project?: Project, options?: DeployOptions): Promise<DeploymentSnapshot>
  keyOf(deployment: { readonly id: string }, action?: string): ActionKey
  /** Waits until a webhook of this kind was accepted and the latest run of the action has closed. */
  ended(
    deployment: { readonly id: string },
    options?: { readonly after?: 'start' | 'cancel' | 'cleanup'; readonly action?: string },
  ): Promise<RunEnd>
  /** What stands at Postgres for the deployment: `database`, `role`, `session`. */
  left(deployment: { readonly id: string }): Promise<string[]>
  /** Keeps a session on the source, so that it cannot be copied until the function that is returned is called. */
  occupySource(): Promise<() => Promise<void>>
  /** The same for the database of this URL. */
  occupy(url: string): Promise<() => Promise<void>>
  /** Resolves when the work at Postgres for the deployment has begun. */
  untilBegun(deployment: { readonly id: string }): Promise<void>
  /** Ends the service and starts it again, with other variables. */
  restart(variables?: Record<string, string>): Promise<void>
  /** Vercel as it was at first: no faults, no dials turned. */
  resetVercel(): void
  /**
   * Asserts that Postgres has exactly the branches of what Vercel released and neither canceled nor removed; has all
   * of that removed and asserts that nothing is left; ends everything.
   */
  close(): Promise<void>
}

/** The `DATABASE_URL` of a build that goes on without a branch, in projects that say so. */
export const OF_THE_RESOURCE = 'of the resource itself'

/** Runs the real service against a local Vercel, on the shared Postgres. Resolves when it is ready. */
export async function startHoldpoint(
  settings: HoldpointSettings = {},
): Promise<HoldpointUnderTest> {
  const postgresUrl = ownPostgresUrl()
  const temporal = settings.temporal ?? (await devServerEnvironment())
  const source = await createSource(postgresUrl)
  const clientSecret = randomBytes(24).toString('base64url')
  const accessToken = randomBytes(24).toString('base64url')
  const vercel = await startSimulator({
    clientSecret,
    accessToken,
    product: {
      id: 'product',
      name: 'Product',
      actions: ['branch', 'env', ...(settings.undeclared ?? [])].map((slug) => ({
        slug,
        name: slug,
      })),
      checks: settings.checks !== undefined,
      deploymentEvents: Object.values(settings.checks?.(postgresUrl) ?? {}).some(
        ({ api }) => api === 'v1',
      ),
    },
    retry: { baseMs: 250, maxDelayMs: 1000 },
  })
  const { logLines, log } = recordLog()
  const variables = {
    PORT: '0',
    HOST: '127.0.0.1',
    VERCEL_API_URL: vercel.url,
    // Postgres is shared with other tests, whose branches are none of ours.
    INTEGRATION_CLIENT_ID: `oac_${randomBytes(12).toString('hex')}`,
    INTEGRATION_CLIENT_SECRET: clientSecret,
    VERCEL_ACCESS_TOKEN: accessToken,
    POSTGRES_URL: postgresUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    ...settings.variables,
  }
  const start = async (changes: Record<string, string> = {}) => {
    const environment = readEnvironment({ ...variables, ...changes })
    const service = await startService({
      environment,
      config: configuration(postgresUrl, settings),
      temporal: {
        connectionOptions: { address: temporal.address },
        namespace: environment.temporalNamespace,
      },
      embedded: { postgres: () => Promise.resolve(postgresUrl) },
      store: settings.store?.(),
      roles: settings.roles ?? { server: true, worker: true },
      workflowBundle: temporal.workflowBundle,
      log,
    })
    vercel.webhookUrl = `${service.url}/webhooks/vercel`
    return service
  }
  let running = settings.elsewhere ? undefined : await start()
  if (settings.roles?.worker !== false) await running?.ready
  const serviceHere = () => {
    if (running) return running
    throw new Error('The test runs Holdpoint elsewhere.')
  }

  const createProject = (slugs: readonly string[], resourceId = source.name) =>
    vercel.createProject({
      name: 'storefront',
      resources: [
        {
          resourceId,
          actions: Object.fromEntries(slugs.map((slug) => [slug, { environments: ['preview'] }])),
        },
      ],
    })
  const project = createProject(['branch'])
  const deploy = (from = project, options: DeployOptions = {}) =>
    vercel.deploy(from, { environment: 'preview', gitBranch: 'feature/x', ...options })
  const keyOf = ({ id }: { readonly id: string }, action = 'branch'): ActionKey => ({
    installationId: vercel.deployment(id).installationId,
    resourceId: vercel.deployment(id).actions[0]?.resourceId ?? source.name,
    deploymentId: id,
    action,
  })
  const left = (deployment: { readonly id: string }) =>
    remainsOf(postgresUrl, branchRef(keyOf(deployment)).name)
  const branches = () => branchesOf(postgresUrl, vercel)

  const holdpoint: HoldpointUnderTest = {
    vercel,
    project,
    source,
    postgresUrl,
    logLines,
    secrets: { clientSecret, accessToken },
    temporal,
    variables,
    get service() {
      return serviceHere()
    },
    get url() {
      return serviceHere().url ?? ''
    },
    createProject,
    deploy,
    release: (from, options) =>
      vercel.until(deploy(from, options).id, ({ readyState }) => readyState === 'READY', {
        description: 'readyState READY',
      }),
    keyOf,
    async ended(deployment, { after = 'start', action = 'branch' } = {}) {
      const { client } = temporal
      return (await runEnd({ vercel, client }, keyOf(deployment, action), after)).end
    },
    left,
    occupySource: () => holdpoint.occupy(source.url),
    async occupy(url) {
      const session = await connect(url)
      return () => session.end()
    },
    untilBegun: (deployment) =>
      eventually(async () => expect(await left(deployment)).not.toEqual([])),
    async restart(changes) {
      await serviceHere().close()
      running = await start(changes)
      await running.ready
    },
    resetVercel() {
      vercel.installation.accessToken = accessToken
      vercel.dials.failNext.length = 0
      const { failNext: _kept, ...dials } = defaultDials()
      Object.assign(vercel.dials, dials)
    },
    async close() {
      holdpoint.resetVercel()
      try {
        await eventually(async () => expect(await branches()).toEqual(branchesInUse(vercel)))
        for (const { id, deletedAt } of vercel.deployments())
          if (deletedAt === undefined) vercel.remove(id)
        await eventually(async () => expect(await branches()).toEqual([]))
      } finally {
        await vercel.close()
        await running?.close()
        await dropSource(postgresUrl, source.name)
        await temporal.teardown()
      }
    },
  }
  return holdpoint
}

/** Asks again until the assertion holds; fails with what it last said. */
export function eventually<Result>(
  assertion: () => Result | Promise<Result>,
  timeout = 10_000,
): Promise<Result> {
  return vi.waitFor(assertion, { timeout, interval: 25 })
}

function configuration(
  postgresUrl: string,
  {
    deadline = '1 minute',
    scope = 'deployment',
    keepFor = '1 hour',
    policy,
    env = { FEATURE_FLAGS: 'preview' },
    checks,
    products,
    migrate,
  }: HoldpointSettings,
) {
  const actions: Record<string, AnyAction> = {
    branch: branchDatabase({
      name: 'Branch database',
      driver: postgres({ server: postgresUrl }),
      secrets: (branch) => ({ DATABASE_URL: branch.url }),
      deadline,
      scope,
      keepFor,
      ...(policy && { policy }),
      ...(migrate && { migrate }),
    }),
    env: setEnvironment({ name: 'Set environment', variables: env }),
  }
  return defineConfig({
    actions,
    ...(checks && { checks: checks(postgresUrl) }),
    ...(products && { products: products(postgresUrl) }),
  })
}

async function createSource(postgresUrl: string): Promise<{ name: string; url: string }> {
  const name = newName()
  await sql(postgresUrl, `CREATE DATABASE ${name}`)
  await sql(postgresUrl, `REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`)
  const url = onDatabase(postgresUrl, name)
  await sql(
    url,
    `CREATE TABLE products (id integer PRIMARY KEY, name text NOT NULL);
     INSERT INTO products VALUES (1, 'anvil'), (2, 'rope'), (3, 'paint')`,
  )
  return { name, url }
}

function recordLog(): { logLines: string[]; log: Log } {
  const logLines: string[] = []
  const printed = jsonLog((line) => logLines.push(line))
  const at =
    (level: keyof Log): Log['info'] =>
    (event, fields) => {
      printed[level](event, fields)
      // With causes, and before anything is blanked.
      logLines.push(inspect(fields, { depth: 10, maxStringLength: null, breakLength: Infinity }))
    }
  return { logLines, log: { info: at('info'), warn: at('warn'), error: at('error') } }
}

/** The names of all branches that stand at Postgres for the deployments of this Vercel, half-made ones too. */
async function branchesOf(postgresUrl: string, vercel: Simulator): Promise<string[]> {
  const driver = postgres({ server: postgresUrl })
  const listed = await driver.listBranches(driverCall())
  await driver.close()
  const installation = vercel.installation.id
  const marked = listed.filter(({ ref }) => ref.owner.installationId === installation)
  // An object that lost its mark still has a name.
  const objects = await sql<{ name: string }>(
    postgresUrl,
    `SELECT datname AS name FROM pg_database WHERE starts_with(datname, 'hp_')
      UNION SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'hp_')`,
  )
  const ours = new Set(vercel.deployments().flatMap(branchNames))
  const named = objects.map(({ name }) => name).filter((name) => ours.has(name))
  return [...new Set([...marked.map(({ ref }) => ref.name), ...named])].sort()
}

function branchesInUse(vercel: Simulator): string[] {
  return (
    vercel
      .deployments()
      .filter(({ readyState, deletedAt }) => readyState === 'READY' && deletedAt === undefined)
      // A policy may have it go on with what the resource itself gives.
      .filter(({ env }) => env['DATABASE_URL'] !== OF_THE_RESOURCE)
      .flatMap((deployment) =>
        branchNames({
          ...deployment,
          actions: deployment.actions.filter(({ status }) => status === 'succeeded'),
        }),
      )
      .sort()
  )
}

function branchNames({ id, installationId, actions }: DeploymentSnapshot): string[] {
  return actions
    .filter(({ slug }) => slug === 'branch')
    .map(({ resourceId, slug }) =>
      branchRef({ installationId, resourceId, deploymentId: id, action: slug }),
    )
    .map(({ name }) => name)
}
