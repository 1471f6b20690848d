import type { Deployment, HeldAction } from './deployment.ts'
import type { Dials } from './dials.ts'
import type { DeploymentChange } from './timeline.ts'

export type ActionEventKind = 'start' | 'cancel' | 'cleanup'

/** What the life of a deployment touches outside itself. */
export interface Surroundings {
  readonly dials: Dials
  readonly buildMs: number
  readonly provisioningTimeoutMs: number
  readonly now: () => number
  readonly emitWebhook: (kind: ActionEventKind, deployment: Deployment, action: HeldAction) => void
  /** Tells whoever watches; called after the deployment has changed. */
  readonly announce: (
    deployment: Deployment,
    change: DeploymentChange,
    about?: Announcement,
  ) => void
  /** Runs once after `ms`, in place of what was scheduled for this deployment before. */
  readonly schedule: (deployment: Deployment, ms: number, run: () => void) => void
  /** Forgets what was scheduled for this deployment. */
  readonly unschedule: (deployment: Deployment) => void
}

export interface Announcement {
  readonly action?: HeldAction
  readonly text?: string | undefined
}
