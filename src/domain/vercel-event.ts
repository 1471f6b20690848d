import type { ActionEvent } from './action-event.ts'
import type { CheckRunEvent } from './check-run.ts'
import type { DeploymentEvent } from './deployment-check.ts'

/** A webhook that something is to be done about, read and checked. */
export type VercelEvent =
  | { readonly kind: 'action'; readonly action: ActionEvent }
  | { readonly kind: 'check-run'; readonly run: CheckRunEvent }
  | DeploymentEvent
  | ResourceConnected
  /** The integration was uninstalled, whether or not the partner API was told. */
  | { readonly kind: 'installation-removed'; readonly installationId: string }
  | InstallationTransferred
  | DeploymentRemoved

/** A resource was connected to a project, or the connection was ended. */
export interface ResourceConnected {
  readonly kind: 'resource-connected'
  readonly installationId: string
  /** The provider's own id of the resource. */
  readonly resourceId: string
  readonly projectId: string
  readonly connected: boolean
}

/** The installation belongs to another team now. */
export interface InstallationTransferred {
  readonly kind: 'installation-transferred'
  readonly installationId: string
  /** Unset when it was moved to no team, or Vercel does not tell. */
  readonly teamId?: string
}

/** The deployment is gone for good. Its actions have cleanups of their own, which may have been lost. */
export interface DeploymentRemoved {
  readonly kind: 'deployment-removed'
  readonly deploymentId: string
  /** Of the team or else the user that it was of. Vercel tells no installation here. */
  readonly accountId?: string
}

/** What became of an event: stored durably, known before, or of no use here. */
export type Acceptance = 'accepted' | 'duplicate' | 'ignored'

/** Whose event it is: an installation's, or an account's where Vercel tells no installation. */
export function ownerOf(event: VercelEvent): string {
  switch (event.kind) {
    case 'action':
      return event.action.key.installationId
    case 'check-run':
      return event.run.key.installationId
    case 'resource-connected':
    case 'installation-removed':
    case 'installation-transferred':
      return event.installationId
    case 'deployment':
      return event.concerned[0]?.installationId ?? event.deploymentId
    case 'deployment-removed':
      return event.accountId ?? event.deploymentId
  }
}
