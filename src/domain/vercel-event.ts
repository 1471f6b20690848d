import type { ActionEvent } from './action-event.ts'
import type { CheckRunEvent } from './check-run.ts'

/** A webhook that something is to be done about, read and checked. */
export type VercelEvent =
  | { readonly kind: 'action'; readonly action: ActionEvent }
  | { readonly kind: 'check-run'; readonly run: CheckRunEvent }
  | ResourceConnected
  /** The integration was uninstalled, whether or not the partner API was told. */
  | { readonly kind: 'installation-removed'; readonly installationId: string }

/** A resource was connected to a project, or the connection was ended. */
export interface ResourceConnected {
  readonly kind: 'resource-connected'
  readonly installationId: string
  /** The provider's own id of the resource. */
  readonly resourceId: string
  readonly projectId: string
  readonly connected: boolean
}

/** What became of an event: stored durably, known before, or of no use here. */
export type Acceptance = 'accepted' | 'duplicate' | 'ignored'

/** Whose event it is. */
export function installationOf(event: VercelEvent): string {
  switch (event.kind) {
    case 'action':
      return event.action.key.installationId
    case 'check-run':
      return event.run.key.installationId
    case 'resource-connected':
    case 'installation-removed':
      return event.installationId
  }
}
