import { defineSignal } from '@temporalio/workflow'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { ActionEnd, ActionRequest } from '../src/domain/action-run.ts'
import type { RemovalRequest } from '../src/domain/installation-removal.ts'
import type {
  ReconciliationReport,
  ReconciliationRequest,
} from '../src/domain/reconciliation-run.ts'
import type { Wish } from '../src/domain/action-event.ts'

// The letterbox: what the front door may start and signal, without importing a line of workflow code.

/** The deployment or its action was canceled: undo everything. Both workflow types take it, more than once. */
export const cancelSignal = defineSignal('cancel')

/** The deployment was removed: destroy what still exists. Both workflow types take it, more than once. */
export const cleanupSignal = defineSignal('cleanup')

/** What a `compensation` run is started with. */
export interface CompensationRequest {
  readonly key: ActionKey
  readonly wish: Exclude<Wish, 'run'>
}

/** The workflow types by name, with what they take and answer. */
export type DeploymentAction = (request: ActionRequest) => Promise<ActionEnd>
export type Compensation = (request: CompensationRequest) => Promise<ActionEnd>
export type Reconciliation = (request: ReconciliationRequest) => Promise<ReconciliationReport>
export type InstallationRemoval = (request: RemovalRequest) => Promise<void>
export const DEPLOYMENT_ACTION = 'deploymentAction'
export const COMPENSATION = 'compensation'
export const INSTALLATION_REMOVAL = 'installationRemoval'
export const READINESS = 'readiness'
export const RECONCILIATION = 'reconciliation'
