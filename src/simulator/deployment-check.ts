import type { CheckCreation, CheckUpdate } from './validate-deployment-check.ts'

export type DeploymentCheckConclusion = NonNullable<CheckUpdate['conclusion']>

/** A check of one deployment (Checks API v1), as Vercel keeps it. */
export interface DeploymentCheck {
  readonly id: string
  name: string
  path?: string
  readonly blocking: boolean
  readonly rerequestable: boolean
  status: 'registered' | 'running' | 'completed'
  /** `stale`: nobody concluded it in time. */
  conclusion?: DeploymentCheckConclusion | 'stale'
  detailsUrl?: string
  externalId?: string
  output?: CheckUpdate['output']
  readonly createdAt: number
  updatedAt: number
  startedAt?: number
  completedAt?: number
  /** Every update that was answered 200, whether it had an effect or not. */
  readonly acceptedUpdates: CheckUpdate[]
}

export interface DeploymentCheckSnapshot {
  readonly id: string
  readonly name: string
  readonly blocking: boolean
  readonly rerequestable: boolean
  readonly status: DeploymentCheck['status']
  readonly conclusion?: DeploymentCheck['conclusion']
  readonly detailsUrl?: string
  readonly externalId?: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly completedAt?: number
  /** The statuses of the updates answered 200, in order; an ignored one is there too. */
  readonly acceptedStatuses: readonly string[]
}

export function newDeploymentCheck(
  { rerequestable = false, ...creation }: CheckCreation,
  { id, createdAt }: { readonly id: string; readonly createdAt: number },
): DeploymentCheck {
  return {
    ...(creation as Pick<DeploymentCheck, 'name' | 'blocking'>),
    id,
    rerequestable,
    status: 'registered',
    createdAt,
    updatedAt: createdAt,
    acceptedUpdates: [],
  }
}

export function snapshotDeploymentCheck(check: DeploymentCheck): DeploymentCheckSnapshot {
  const { acceptedUpdates, path: _, output: __, startedAt: ___, ...fields } = check
  return { ...fields, acceptedStatuses: acceptedUpdates.flatMap(({ status }) => status ?? []) }
}

/** A check as the API answers it. */
export function viewDeploymentCheck(
  deploymentId: string,
  check: DeploymentCheck,
): Record<string, unknown> {
  const { acceptedUpdates: _, ...fields } = check
  return { ...fields, deploymentId, integrationId: 'oac_simulator' }
}
