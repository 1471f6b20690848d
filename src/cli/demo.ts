import { randomBytes } from 'node:crypto'
import { type ActionKey, actionWorkflowId } from '../domain/action-key.ts'
import type { ActionPhase } from '../domain/action-run.ts'
import { branchRef } from '../domain/branch-ref.ts'
import type { DeploymentSnapshot, ResourceSnapshot, TimelineEvent } from '../simulator/index.ts'
import { loadConfig } from '../config/load-config.ts'
import { demoConfig } from './demo-config.ts'
import { describeEvent } from './describe-event.ts'
import { type LocalVercel, startLocalVercel } from './local-vercel.ts'
import type { CommonOptions } from './main.ts'
import { dropSampleDatabase } from './sample-database.ts'
import { withClient } from './with-client.ts'

/** What `holdpoint demo` takes; without a file its provider is the demo's own. */
export type DemoOptions = Omit<CommonOptions, 'config'> & { readonly config?: string }

/** A story did not end as it must. */
class StoryFailed extends Error {
  override readonly name = 'StoryFailed'
}

const WITHIN = { timeoutMs: 60_000 }

/**
 * Shows three deployments on real parts: one released with its branch, one canceled while it is held, one deleted
 * after its release; and a team from the day it installs the integration to the day it uninstalls it. Throws unless each
 * ends as it must and nothing of theirs is left.
 */
export async function demo({ config: file, ...options }: DemoOptions): Promise<void> {
  heading('Starting what the stories need')
  const startedAt = Date.now()
  const sampleDatabase = `holdpoint_demo_${randomBytes(4).toString('hex')}`
  const local = await startLocalVercel(options, {
    vercelPort: 0,
    holdpointPort: 0,
    sampleDatabase,
    config: file === undefined ? demoConfig : () => loadConfig(file),
    verbose: false,
    onEvent: (event) => print(event, startedAt),
  })
  try {
    const released = await releaseStory(local)
    await cancelStory(local)
    await cleanupStory(local)
    await installationStory(local)
    heading('The end: the first deployment is deleted too')
    await removeAndWait(local, released)
    await expectNothingLeft(local, local.vercel.deployments())
    say(
      `Web UI: ${local.uiUrl ?? 'that of your Temporal server'} (npm run dev shows the same data again)`,
    )
    heading('All four stories ended as they must')
  } finally {
    await dropSampleDatabase(local.postgresUrl, sampleDatabase)
    await local.close()
  }
}

async function releaseStory(local: LocalVercel): Promise<DeploymentSnapshot> {
  heading('Story 1: a preview is deployed, held, given a branch, and released')
  const deployment = await released(local, 'feature/checkout')
  const url = deployment.env?.['DATABASE_URL']
  if (!url) throw new StoryFailed('The build got no DATABASE_URL.')
  const rows = await withClient(url, async (branch) => {
    const { rows } = await branch.query<{ database: string; user: string; products: string }>(
      'select current_database() as database, current_user as user, (select count(*) from products) as products',
    )
    return rows[0]
  })
  if (rows?.products !== '3')
    throw new StoryFailed('The branch does not have the rows of its source.')
  say(
    `The build's DATABASE_URL leads to ${rows.database}, as ${rows.user}: ${rows.products} products, as in its source.`,
  )
  await expectEnds(local, deployment, { status: 'COMPLETED', phase: undefined })
  return deployment
}

async function cancelStory(local: LocalVercel): Promise<void> {
  heading('Story 2: a deployment is canceled while its build is held')
  // Vercel's API is busy, so that there is time to cancel: the branch is there, its report is not taken yet.
  local.vercel.dials.failNext.push({
    match: { kind: 'patch', status: 'succeeded' },
    answer: { status: 503 },
    times: 1000,
  })
  const { id } = local.vercel.deploy(local.project, {
    environment: 'preview',
    gitBranch: 'feature/refunds',
  })
  await local.vercel.untilEvent(
    (event) => event.kind === 'request' && event.deploymentId === id && event.status === 503,
    WITHIN,
  )
  await waitFor('the branch of the held deployment', async () => {
    return (await leftOf(local, [local.vercel.deployment(id)])).length > 0
  })
  say('The branch exists, and the build is still held.')
  local.vercel.cancel(id)
  local.vercel.dials.failNext.length = 0
  const deployment = local.vercel.deployment(id)
  await expectEnds(local, deployment, { status: 'CANCELLED', phase: 'canceled' })
  await expectNothingLeft(local, [deployment])
}

async function cleanupStory(local: LocalVercel): Promise<void> {
  heading('Story 3: a deployment is released, and deleted later')
  const deployment = await released(local, 'feature/search')
  await expectEnds(local, deployment, { status: 'COMPLETED', phase: undefined })
  await removeAndWait(local, deployment)
  await expectNothingLeft(local, [deployment])
}

async function installationStory(local: LocalVercel): Promise<void> {
  heading('Story 4: a team installs the integration, and has a database of its own until it leaves')
  const { vercel } = local
  const installation = await vercel.install()
  say(`Holdpoint knows ${installation.id} with its token, sealed in Postgres.`)
  const database = await vercel.provision(installation, {
    product: 'postgres',
    name: 'orders',
    billingPlanId: 'free',
  })
  const url = urlOf(database)
  await withClient(url, (orders) => orders.query('create table orders as select 1 as id'))
  say(`The database ${database.id} is provisioned, and has its first order.`)

  const project = vercel.createProject({
    name: 'their-storefront',
    installation,
    resources: [{ resourceId: database.id, actions: { branch: { environments: ['preview'] } } }],
  })
  await waitFor('the check to be registered', async () => project.checks.length > 0)
  const { id } = await released(local, 'feature/theirs', project)
  const deployment = await vercel.until(
    id,
    ({ checkRuns }) => checkRuns.some(({ status }) => status === 'completed'),
    WITHIN,
  )
  const [check] = deployment.checkRuns
  if (check?.conclusion !== 'succeeded')
    throw new StoryFailed(`The check of the branch is ${check?.conclusion ?? 'not there'}.`)
  say(`Its preview has a branch, migrated. ${check.name}: ${check.conclusion}.`)

  const rotated = await vercel.rotateSecrets(database, { delayOldSecretsExpirationHours: 0 })
  await withClient(urlOf(rotated), (orders) => orders.query('select id from orders'))
  await waitFor('the old password to open nothing', async () => !(await opens(url)))
  say('Its password is another one now; the old one opens nothing, and the branch is still there.')

  await vercel.uninstall(installation)
  await waitFor('the installation to be forgotten', async () => {
    return (await local.store.getInstallation(installation.id)) === undefined
  })
  await expectNothingLeft(local, [deployment], database.id)
  say(`${installation.id} is uninstalled, and forgotten with its token.`)
}

function urlOf({ env }: ResourceSnapshot): string {
  const url = env['DATABASE_URL']
  if (url) return url
  throw new StoryFailed('The database came without a DATABASE_URL.')
}

async function opens(url: string): Promise<boolean> {
  return await withClient(url, (database) => database.query('select 1')).then(
    () => true,
    () => false,
  )
}

/** Deploys a preview and waits until its build is through. */
async function released(
  local: LocalVercel,
  gitBranch: string,
  project = local.project,
): Promise<DeploymentSnapshot> {
  const { id } = local.vercel.deploy(project, { environment: 'preview', gitBranch })
  const isOver = ({ readyState }: DeploymentSnapshot) => ['READY', 'ERROR'].includes(readyState)
  const deployment = await local.vercel.until(id, isOver, WITHIN)
  if (deployment.readyState === 'READY') return deployment
  throw new StoryFailed(`The deployment failed. ${deployment.errorMessage}`)
}

async function removeAndWait(local: LocalVercel, deployment: DeploymentSnapshot): Promise<void> {
  local.vercel.remove(deployment.id)
  await expectEnds(local, deployment, { status: 'COMPLETED', phase: 'cleaned' })
}

async function expectNothingLeft(
  local: LocalVercel,
  deployments: readonly DeploymentSnapshot[],
  resourceId?: string,
): Promise<void> {
  const left = await leftOf(local, deployments, resourceId)
  if (left.length > 0) throw new StoryFailed(`Left over on Postgres: ${left.join(', ')}`)
  const whose = deployments.length === 1 ? 'this deployment' : 'these deployments'
  say(`Postgres has no database and no role of ${whose} any more.`)
}

/** The databases and roles that exist of these deployments and the resource, whose roles begin with its id. */
async function leftOf(
  local: LocalVercel,
  deployments: readonly DeploymentSnapshot[],
  resourceId = 'no resource',
): Promise<string[]> {
  const names = deployments.flatMap((deployment) =>
    actionKeys(deployment).map((key) => branchRef(key).name),
  )
  return await withClient(local.postgresUrl, async (server) => {
    const { rows } = await server.query<{ name: string }>(
      `select datname as name from pg_database where datname = any($1) or datname = $2
       union select rolname from pg_roles where rolname = any($1) or starts_with(rolname, $2)`,
      [names, resourceId],
    )
    return rows.map((row) => row.name)
  })
}

function actionKeys({ id, installationId, actions }: DeploymentSnapshot): ActionKey[] {
  return actions.map(({ resourceId, slug }) => ({
    installationId,
    resourceId,
    deploymentId: id,
    action: slug,
  }))
}

/** Waits until every action of the deployment has ended so, and prints where to look at each. */
async function expectEnds(
  local: LocalVercel,
  deployment: DeploymentSnapshot,
  wanted: { status: string; phase: ActionPhase | undefined },
): Promise<void> {
  for (const key of actionKeys(deployment)) {
    const workflowId = actionWorkflowId(key)
    const end = wanted.phase ?? 'succeeded'
    await waitFor(`${key.action} to end as ${wanted.status}, ${end}`, async () => {
      const run = await local.temporal.client.workflow.getHandle(workflowId).describe()
      return (
        run.status.name === wanted.status &&
        run.searchAttributes['HoldpointPhase']?.[0] === wanted.phase
      )
    })
    say(`${key.action}: ${end}${local.uiUrl ? `  ${local.runUrl(workflowId)}` : ''}`)
  }
}

async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + WITHIN.timeoutMs
  for (;;) {
    const held = await holds().catch(() => false)
    if (held) return
    if (Date.now() > giveUpAt)
      throw new StoryFailed(`Waited ${WITHIN.timeoutMs / 1000} s in vain for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function print(event: TimelineEvent, startedAt: number): void {
  const line = describeEvent(event)
  if (line) process.stdout.write(`  ${String(event.at - startedAt).padStart(6)} ms  ${line}\n`)
}

function heading(text: string): void {
  process.stdout.write(`\n${text}\n`)
}

function say(text: string): void {
  process.stdout.write(`             ${text}\n`)
}
