import { workflowId } from './workflow-id.ts'

/** Which checks are to be registered where; what the workflow that does it is started with. */
export interface CheckRegistration {
  readonly installationId: string
  /** The provider's own id of the resource. */
  readonly resourceId: string
  readonly projectId: string
}

/** The workflow id of a registration; see `workflowId`. */
export function checkRegistrationWorkflowId(registration: CheckRegistration): string {
  const { installationId, resourceId, projectId } = registration
  return workflowId('checks', installationId, resourceId, projectId)
}

/** Which checks a project has after a registration, by name. */
export interface RegisteredChecks {
  readonly created: readonly string[]
  /** They were there already. */
  readonly found: readonly string[]
}

/** A check as Vercel is told of it, for a project. */
export interface CheckDeclaration {
  readonly name: string
  readonly requires: CheckRequirement
  readonly blocks?: CheckBlocks
  readonly targets?: readonly string[]
  readonly timeoutSeconds?: number
  readonly isRerequestable?: boolean
}

export const CHECK_REQUIREMENTS = ['build-ready', 'deployment-url', 'none'] as const
export type CheckRequirement = (typeof CHECK_REQUIREMENTS)[number]

export const CHECK_BLOCKS = [
  'build-start',
  'deployment-start',
  'deployment-alias',
  'deployment-promotion',
  'none',
] as const
export type CheckBlocks = (typeof CHECK_BLOCKS)[number]
