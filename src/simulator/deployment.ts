import { type CheckRun, type CheckRunSnapshot, snapshotCheckRun } from './check.ts'
import {
  type DeploymentCheck,
  type DeploymentCheckSnapshot,
  snapshotDeploymentCheck,
} from './deployment-check.ts'
import type { ChosenAction, Connection, Project } from './project.ts'
import type { StatusUpdate } from './validate-update.ts'

/** Vercel's own words for where a deployment stands; `QUEUED` while its build is held. */
export type ReadyState = 'QUEUED' | 'BUILDING' | 'READY' | 'ERROR' | 'CANCELED'

/** The provisioning phase as `GET /v13/deployments` shows it. */
export interface Integrations {
  status: 'pending' | 'ready' | 'error' | 'skipped' | 'timeout'
  readonly startedAt: number
  completedAt?: number
  skippedAt?: number
  skippedBy?: string
}

export type ActionState =
  'pending' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'skipped' | 'timeout'

/** One action of one deployment, as Vercel keeps it. */
export interface HeldAction {
  readonly connection: Connection
  readonly chosen: ChosenAction
  state: ActionState
  statusText?: string
  statusUrl?: string
  /** Filled by the first accepted `succeeded` only. */
  secrets: Record<string, string>
  /** Every update that was answered 202, whether it had an effect or not. */
  readonly acceptedUpdates: StatusUpdate[]
}

export interface Deployment {
  readonly id: string
  readonly url: string
  readonly project: Project
  readonly environment: string
  readonly source: string
  readonly creator: string
  readonly createdAt: number
  readonly gitBranch?: string
  readonly sha?: string
  readonly meta: Readonly<Record<string, string>>
  readonly actions: readonly HeldAction[]
  /** Those of the Checks API v1. */
  readonly checks: DeploymentCheck[]
  readonly checkRuns: CheckRun[]
  readyState: ReadyState
  integrations?: Integrations
  /** The variables of the project, overridden by those of its resources, as they were when it was made. */
  readonly baseEnv: Readonly<Record<string, string>>
  /** What the build gets: `baseEnv`, overridden by the outcomes once they are merged. */
  env: Record<string, string>
  errorCode?: string
  errorMessage?: string
  buildStartedAt?: number
  buildEndedAt?: number
  canceledAt?: number
  deletedAt?: number
  /** A restored deployment has no `deletedAt` but these two. */
  wasDeletedAt?: number
  undeletedAt?: number
  /** From then on it cannot be restored. */
  purgedAt?: number
}

/** A deployment at one moment. `env` holds values, secrets among them: for assertions, not for logs. */
export interface DeploymentSnapshot {
  readonly id: string
  readonly url: string
  readonly projectId: string
  readonly projectName: string
  readonly installationId: string
  readonly environment: string
  readonly source: string
  readonly gitBranch?: string
  readonly sha?: string
  readonly readyState: ReadyState
  readonly integrations?: Readonly<Integrations>
  readonly actions: readonly ActionSnapshot[]
  /** Those of the Checks API v1. */
  readonly checks: readonly DeploymentCheckSnapshot[]
  readonly checkRuns: readonly CheckRunSnapshot[]
  readonly env: Readonly<Record<string, string>>
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly createdAt: number
  readonly buildStartedAt?: number
  readonly buildEndedAt?: number
  readonly canceledAt?: number
  readonly deletedAt?: number
  readonly wasDeletedAt?: number
  readonly undeletedAt?: number
  readonly purgedAt?: number
}

export interface ActionSnapshot {
  readonly resourceId: string
  readonly slug: string
  readonly required: boolean
  readonly status: ActionState
  readonly statusText?: string
  readonly statusUrl?: string
  /** The statuses of the updates answered 202, in order; a repeated or ignored one is there too. */
  readonly acceptedStatuses: readonly string[]
  /** How many `succeeded` or `failed` updates were answered 202. */
  readonly terminalCount: number
  /** How many different bodies those had: a retry after a lost answer repeats one, a second opinion adds one. */
  readonly terminalBodies: number
}

/** Whether a build still waits for the action. */
export function isUnfinished({ state }: HeldAction): boolean {
  return state === 'pending' || state === 'running'
}

export function isTerminal(status: string | undefined): boolean {
  return status === 'succeeded' || status === 'failed'
}

/** Copies a deployment, so that what a caller holds no longer changes. */
export function snapshotDeployment(deployment: Deployment): DeploymentSnapshot {
  const { project, actions, checks, checkRuns, integrations, ...rest } = deployment
  const { creator: _creator, meta: _meta, baseEnv: _baseEnv, ...fields } = rest
  return {
    ...fields,
    projectId: project.id,
    projectName: project.name,
    installationId: project.installation.id,
    ...(integrations && { integrations: { ...integrations } }),
    env: { ...deployment.env },
    actions: actions.map(snapshotAction),
    checks: checks.map(snapshotDeploymentCheck),
    checkRuns: checkRuns.map(snapshotCheckRun),
  }
}

function snapshotAction(action: HeldAction): ActionSnapshot {
  const terminal = action.acceptedUpdates.filter((update) => isTerminal(update.status))
  return {
    resourceId: action.connection.resourceId,
    slug: action.chosen.slug,
    required: action.connection.required,
    status: action.state,
    ...(action.statusText !== undefined && { statusText: action.statusText }),
    ...(action.statusUrl !== undefined && { statusUrl: action.statusUrl }),
    acceptedStatuses: action.acceptedUpdates.flatMap((update) => update.status ?? []),
    terminalCount: terminal.length,
    terminalBodies: new Set(terminal.map((update) => JSON.stringify(update))).size,
  }
}
