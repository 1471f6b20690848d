import type { CheckRun } from './check.ts'
import type { DeploymentCheck } from './deployment-check.ts'
import type { Deployment, HeldAction } from './deployment.ts'
import type { Dials } from './dials.ts'
import type { DeploymentChange } from './timeline.ts'

export type ActionEventKind = 'start' | 'cancel' | 'cleanup'
export type CheckRunEventKind = 'start' | 'cancel'
export type DeploymentEventKind = 'created' | 'ready' | 'error' | 'canceled' | 'check-rerequested'

/** What the life of a deployment touches outside itself. */
export interface Surroundings {
  readonly dials: Dials
  readonly buildMs: number
  readonly provisioningTimeoutMs: number
  readonly now: () => number
  readonly emitWebhook: (kind: ActionEventKind, deployment: Deployment, action: HeldAction) => void
  readonly emitCheckRunWebhook: (
    kind: CheckRunEventKind,
    deployment: Deployment,
    run: CheckRun,
  ) => void
  /** Tells a provider who wants to know what becomes of deployments. */
  readonly emitDeploymentWebhook: (
    kind: DeploymentEventKind,
    deployment: Deployment,
    check?: DeploymentCheck,
  ) => void
  /** Tells the provider that a deployment is completely gone. */
  readonly emitGone: (deployment: Deployment) => void
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
  /** The same for a check run, or a check of v1. */
  readonly scheduleCheckRun: (run: CheckRun | DeploymentCheck, ms: number, end: () => void) => void
  readonly unscheduleCheckRun: (run: CheckRun | DeploymentCheck) => void
}

export interface Announcement {
  readonly action?: HeldAction
  readonly checkRun?: CheckRun
  readonly check?: DeploymentCheck
  readonly text?: string | undefined
}
