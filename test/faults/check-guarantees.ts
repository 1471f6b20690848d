import type { Client } from '@temporalio/client'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { branchRef } from '../../src/domain/branch-ref.ts'
import type { ActionSnapshot, DeploymentSnapshot, Simulator } from '../../src/simulator/index.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { findSecrets } from '../end-to-end/find-secrets.ts'
import { checkShared } from './check-shared.ts'

export interface Guarantees {
  readonly violations: string[]
  /** How many actions ended how. */
  readonly ends: Record<string, number>
}

interface Seen {
  readonly vercel: Simulator
  readonly client: Client
  readonly postgresUrl: string
  /** The database that branches were made of. */
  readonly source: string
  /** What each process logged. */
  readonly outputs: readonly string[]
  readonly secrets: Readonly<Record<string, string>>
}

/** Looks, when nothing is under way any more, for anything that breaks what ARCHITECTURE.md says must always hold. */
export async function checkGuarantees(seen: Seen): Promise<Guarantees> {
  const shared = await checkShared(seen)
  const violations = [...shared.violations]
  const ends: Record<string, number> = {}
  const runs = await runsById(seen.client)
  const objects = await objectsOf(seen)
  const passwords: string[] = []

  for (const deployment of seen.vercel.deployments()) {
    const { id, canceledAt, deletedAt } = deployment
    const withdrawn = canceledAt !== undefined || deletedAt !== undefined
    for (const action of deployment.actions) {
      const wrong = (text: string) => violations.push(`${action.slug} of ${id}: ${text}`)
      const key = { ...action, installationId: deployment.installationId, deploymentId: id }
      const broken = action.resourceId !== seen.source
      const end = deletedAt ? 'removed' : canceledAt ? 'canceled' : action.status
      ends[end] = (ends[end] ?? 0) + 1

      for (const text of wrongRuns(runs.get(workflowId(key)) ?? [], withdrawn)) wrong(text)
      if (!withdrawn && action.status !== (broken ? 'failed' : 'succeeded'))
        wrong(`it is ${action.status}: ${action.statusText}`)
      if (!withdrawn && action.terminalBodies !== 1)
        wrong(`${action.terminalBodies} different outcomes were taken`)
      if (action.terminalBodies > 1) wrong('two different outcomes were taken')

      if (action.slug === 'env') {
        if (end === 'succeeded' && deployment.env['FEATURE_FLAGS'] !== 'preview')
          wrong('the build did not get its variables')
        continue
      }
      if (end === 'succeeded') {
        const url = deployment.env['DATABASE_URL'] ?? ''
        passwords.push(passwordOf(url))
        const problem = await loginProblem(url, seen.postgresUrl)
        if (problem) wrong(`its DATABASE_URL does not work: ${problem}`)
      }
      if (action.slug === 'shared') continue
      const { name } = branchRef({ ...key, action: action.slug })
      const standing = objects.get(name) ?? []
      objects.delete(name)
      if (end === 'succeeded') {
        if (standing.join() !== 'database,role') wrong(`of its branch stands ${standing.join()}`)
      } else if (standing.length > 0) wrong(`it was ${end}, and leaves ${standing.join()}`)
    }
  }
  for (const name of shared.names) {
    const standing = objects.get(name) ?? []
    objects.delete(name)
    if (standing.join() !== 'database,role')
      violations.push(`of the shared ${name} stands ${standing.join()}`)
  }
  for (const [name, standing] of objects) violations.push(`nobody owns ${standing.join()} ${name}`)
  violations.push(...wrongOutputs(seen, passwords))
  return { violations, ends }
}

function workflowId(key: ActionSnapshot & { installationId: string; deploymentId: string }) {
  return actionWorkflowId({ ...key, action: key.slug })
}

/** An accepted start has one run; one that was overtaken has none, but a tombstone. */
function wrongRuns(runs: readonly string[], withdrawn: boolean): string[] {
  const started = runs.filter((type) => type === 'deploymentAction').length
  if (started === 1) return []
  if (started > 1) return [`it was started ${started} times`]
  return withdrawn && runs.length > 0 ? [] : ['its start was accepted and has no run']
}

async function runsById(client: Client): Promise<Map<string, string[]>> {
  const runs = new Map<string, string[]>()
  for await (const { workflowId, type } of client.workflow.list({ pageSize: 1_000 }))
    runs.set(workflowId, [...(runs.get(workflowId) ?? []), type])
  return runs
}

/** Databases and roles of this source's branches by name, and rights that such roles have on anything shared. */
async function objectsOf({ postgresUrl, source, vercel }: Seen): Promise<Map<string, string[]>> {
  const rows = await sql<{ name: string; what: string; mark: string | null }>(
    postgresUrl,
    `SELECT datname AS name, 'database' AS what, shobj_description(oid, 'pg_database') AS mark
        FROM pg_database WHERE starts_with(datname, 'hp_')
      UNION ALL SELECT rolname, 'role', shobj_description(oid, 'pg_authid')
        FROM pg_roles WHERE starts_with(rolname, 'hp_')
      UNION ALL SELECT r.rolname, 'grant', $1 FROM pg_database d, aclexplode(d.datacl) a
        JOIN pg_roles r ON r.oid = a.grantee
        WHERE starts_with(r.rolname, 'hp_') AND d.datname <> r.rolname
      ORDER BY what`,
    [source],
  )
  const names = new Set(vercel.deployments().flatMap(branchNames))
  const objects = new Map<string, string[]>()
  for (const { name, what, mark } of rows)
    if (names.has(name) || mark?.includes(source))
      objects.set(name, [...(objects.get(name) ?? []), what])
  return objects
}

function branchNames({ id, installationId, actions }: DeploymentSnapshot): string[] {
  return actions.map(
    ({ resourceId, slug }) =>
      branchRef({ installationId, resourceId, deploymentId: id, action: slug }).name,
  )
}

async function loginProblem(url: string, postgresUrl: string): Promise<string | undefined> {
  try {
    // Past the proxy, which may have been closed.
    const direct = new URL(url)
    direct.port = new URL(postgresUrl).port
    const [row] = await sql<{ count: number }>(
      direct.href,
      'SELECT count(*)::int AS count FROM products',
    )
    return row?.count === 3 ? undefined : `it has ${row?.count} products`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function wrongOutputs({ outputs, secrets }: Seen, passwords: readonly string[]): string[] {
  return outputs.flatMap((output) => [
    ...findSecrets(output, secrets).map((name) => `the log holds a part of ${name}`),
    ...passwords
      .filter((password) => password !== '' && output.includes(password))
      .map(() => 'the log holds the password of a branch'),
  ])
}

function passwordOf(url: string): string {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).password) : ''
}
