import { defineSignal } from '@temporalio/workflow'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { ActionEnd, ActionRequest } from '../src/domain/action-run.ts'
import type { CheckRegistration, RegisteredChecks } from '../src/domain/check-registration.ts'
import type { CheckRunEnd, CheckRunRequest } from '../src/domain/check-run.ts'
import type { DeploymentCheckRequest } from '../src/domain/deployment-check.ts'
import type { DeploymentRemovalRequest } from '../src/domain/deployment-removal.ts'
import type { RemovalRequest } from '../src/domain/installation-removal.ts'
import type {
  ReconciliationReport,
  ReconciliationRequest,
} from '../src/domain/reconciliation-run.ts'
import type { Wish } from '../src/domain/action-event.ts'
import type {
  ResourceChangeRequest,
  ResourceRemovalRequest,
  ResourceRequest,
  SecretsExpiryRequest,
} from '../src/domain/resource-run.ts'

// The letterbox: what the front door may start and signal, without importing a line of workflow code.

/**
 * The deployment, its action or its check was canceled: undo everything, conclude as canceled. An action, a
 * compensation, a check run and a deployment's check take it, more than once.
 */
export const cancelSignal = defineSignal('cancel')

/**
 * It is gone: destroy what still exists. Of a deployment an action and a compensation take it; of a resource whatever
 * is being done to it, which is left and goes on as its removal. More than once.
 */
export const cleanupSignal = defineSignal('cleanup')

/**
 * Whoever had a resource provisioned or changed waits no longer: Vercel is to be told of the end. More than once.
 */
export const announceSignal = defineSignal('announce')

/** Another workflow waits for the end of this action, and is told of it by `actionEndedSignal`. */
export const awaitEndSignal = defineSignal<[waiter: { readonly workflowId: string }]>('awaitEnd')

/** The action that a check waits for has come to its end. */
export const actionEndedSignal = defineSignal<[ActionEnd]>('actionEnded')

/** The deployment of a check is built. More than once. */
export const deploymentReadySignal = defineSignal('deploymentReady')

/** The deployment of a check has failed, perhaps with this very check. More than once. */
export const deploymentFailedSignal = defineSignal('deploymentFailed')

/** A check of the deployment is to be run once more, this one or another. */
export const rerequestSignal = defineSignal<[check: { readonly checkId: string }]>('rerequest')

/** What a `compensation` run is started with. */
export interface CompensationRequest {
  readonly key: ActionKey
  readonly wish: Exclude<Wish, 'run'>
}

/** The workflow types by name, with what they take and answer. */
export type DeploymentAction = (request: ActionRequest) => Promise<ActionEnd>
export type Compensation = (request: CompensationRequest) => Promise<ActionEnd>
export type DeploymentCheckRun = (request: CheckRunRequest) => Promise<CheckRunEnd>
export type DeploymentCheck = (request: DeploymentCheckRequest) => Promise<CheckRunEnd>
export type RegisterChecks = (registration: CheckRegistration) => Promise<RegisteredChecks>
export type Reconciliation = (request: ReconciliationRequest) => Promise<ReconciliationReport>
export type InstallationRemoval = (request: RemovalRequest) => Promise<void>
export type DeploymentRemoval = (request: DeploymentRemovalRequest) => Promise<void>
export type ResourceProvisioning = (request: ResourceRequest) => Promise<void>
export type ResourceChanging = (request: ResourceChangeRequest) => Promise<void>
export type ResourceRemoval = (request: ResourceRemovalRequest) => Promise<void>
export type SecretsExpiry = (request: SecretsExpiryRequest) => Promise<void>

/** The type of the failure of a run that did its work, of which Vercel did not want to be told. */
export const NOT_ANNOUNCED = 'not_announced'

export const DEPLOYMENT_ACTION = 'deploymentAction'
export const COMPENSATION = 'compensation'
export const DEPLOYMENT_CHECK_RUN = 'deploymentCheckRun'
export const DEPLOYMENT_CHECK = 'deploymentCheck'
export const CHECK_REGISTRATION = 'checkRegistration'
export const INSTALLATION_REMOVAL = 'installationRemoval'
export const DEPLOYMENT_REMOVAL = 'deploymentRemoval'
export const RESOURCE_PROVISIONING = 'resourceProvisioning'
export const RESOURCE_CHANGE = 'resourceChange'
export const RESOURCE_REMOVAL = 'resourceRemoval'
export const SECRETS_EXPIRY = 'secretsExpiry'
export const READINESS = 'readiness'
export const RECONCILIATION = 'reconciliation'
