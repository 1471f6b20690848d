import type { CheckRegistration, CheckRunUpdate } from './validate-check.ts'

/** A check of a project (Checks API v2), as it was registered by an integration. */
export interface ProjectCheck {
  readonly id: string
  readonly name: string
  readonly requires: CheckRegistration['requires']
  readonly blocks: NonNullable<CheckRegistration['blocks']>
  readonly targets: readonly string[]
  /** In the unit of the dial `checkTimeoutUnit`. */
  readonly timeout: number
  readonly isRerequestable: boolean
  /** The provider's id of the resource that it was registered for. */
  readonly externalResourceId?: string
  readonly createdAt: number
}

export type CheckConclusion =
  'canceled' | 'skipped' | 'timeout' | 'failed' | 'neutral' | 'succeeded'

/** One run of a check on one deployment, as Vercel keeps it. */
export interface CheckRun {
  readonly id: string
  readonly check: ProjectCheck
  status: 'queued' | 'running' | 'completed'
  conclusion?: CheckConclusion
  conclusionText?: string
  externalId?: string
  externalUrl?: string
  output?: Readonly<Record<string, unknown>>
  readonly createdAt: number
  updatedAt: number
  completedAt?: number
  /** Every update that was answered 200, whether it had an effect or not. */
  readonly acceptedUpdates: CheckRunUpdate[]
}

export interface CheckRunSnapshot {
  readonly id: string
  readonly name: string
  readonly checkId: string
  readonly resourceId?: string
  readonly status: CheckRun['status']
  readonly conclusion?: CheckConclusion
  readonly conclusionText?: string
  readonly externalUrl?: string
  readonly output?: Readonly<Record<string, unknown>>
  readonly createdAt: number
  readonly completedAt?: number
  /** The statuses of the updates answered 200, in order; an ignored one is there too. */
  readonly acceptedStatuses: readonly string[]
  /** How many different conclusions were answered 200: a retry after a lost answer repeats one. */
  readonly terminalBodies: number
}

export function snapshotCheckRun(run: CheckRun): CheckRunSnapshot {
  const { check, acceptedUpdates, externalId: _, updatedAt: __, ...fields } = run
  const { externalResourceId } = check
  const terminal = acceptedUpdates.filter(({ status }) => status === 'completed')
  return {
    ...fields,
    name: check.name,
    checkId: check.id,
    ...(externalResourceId !== undefined && { resourceId: externalResourceId }),
    acceptedStatuses: acceptedUpdates.flatMap(({ status }) => status ?? []),
    terminalBodies: new Set(terminal.map((update) => JSON.stringify(update))).size,
  }
}
