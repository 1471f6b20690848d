import {
  type ActionState,
  type Deployment,
  type HeldAction,
  isTerminal,
  isUnfinished,
} from './deployment.ts'
import { cancelCheckRuns } from './end-check-run.ts'
import { failDeployment } from './fail-deployment.ts'
import { releaseBuild, startBuild } from './run-build.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Cancels a deployment and tells its actions. Throws for one that has failed, was canceled or removed, and, unless
 * the dial `cancelAfterSuccess` allows it, for one that is ready.
 */
export function cancelDeployment(deployment: Deployment, surroundings: Surroundings): void {
  const { dials } = surroundings
  const cancelable =
    deployment.readyState === 'QUEUED' ||
    deployment.readyState === 'BUILDING' ||
    (deployment.readyState === 'READY' && dials.cancelAfterSuccess)
  if (!cancelable || deployment.deletedAt !== undefined) throw refusal(deployment, 'canceled')
  surroundings.unschedule(deployment)
  deployment.readyState = 'CANCELED'
  deployment.canceledAt = surroundings.now()
  const told = deployment.actions.filter(
    (action) => !isTerminal(action.state) || dials.cancelAfterSuccess,
  )
  endUnfinishedActions(deployment, 'canceled')
  surroundings.announce(deployment, 'canceled')
  surroundings.emitDeploymentWebhook('canceled', deployment)
  for (const action of told) surroundings.emitWebhook('cancel', deployment, action)
  cancelCheckRuns(deployment, surroundings)
}

/**
 * Cancels one action of a deployment that waits for it: that of a required resource fails the deployment, else the
 * build goes on without. Throws when nothing is waited for.
 */
export function cancelAction(
  deployment: Deployment,
  action: HeldAction,
  surroundings: Surroundings,
): void {
  if (!isUnfinished(action) || deployment.deletedAt !== undefined)
    throw new Error(`The action ${action.chosen.slug} has ${action.state}: it cannot be canceled`)
  action.state = 'canceled'
  surroundings.announce(deployment, 'action-canceled', { action })
  surroundings.emitWebhook('cancel', deployment, action)
  if (action.connection.required)
    failProvisioning(deployment, { action, reason: 'the action was canceled' }, surroundings)
  else if (!deployment.actions.some(isUnfinished)) releaseBuild(deployment, surroundings)
}

/** Deletes a deployment and sends the cleanups of the actions it ran. Throws when it is deleted already. */
export function removeDeployment(deployment: Deployment, surroundings: Surroundings): void {
  if (deployment.deletedAt !== undefined) throw refusal(deployment, 'removed')
  surroundings.unschedule(deployment)
  deployment.deletedAt = surroundings.now()
  endUnfinishedActions(deployment, 'canceled')
  surroundings.announce(deployment, 'removed')
  cancelCheckRuns(deployment, surroundings)
  if (surroundings.dials.cleanupAt === 'removal') sendCleanups(deployment, surroundings)
}

/** Takes a deletion back. Throws for a deployment that is not deleted, was never built, or is deleted for good. */
export function restoreDeployment(deployment: Deployment, surroundings: Surroundings): void {
  const { deletedAt, purgedAt, readyState } = deployment
  const over = readyState === 'READY' || readyState === 'ERROR' || readyState === 'CANCELED'
  if (deletedAt === undefined || purgedAt !== undefined || !over)
    throw refusal(deployment, 'restored')
  deployment.wasDeletedAt = deletedAt
  delete deployment.deletedAt
  deployment.undeletedAt = surroundings.now()
  surroundings.announce(deployment, 'restored')
}

/** Ends the time in which a deleted deployment can be restored: it is completely gone. Throws for one that is not deleted. */
export function purgeDeployment(deployment: Deployment, surroundings: Surroundings): void {
  if (deployment.deletedAt === undefined || deployment.purgedAt !== undefined)
    throw refusal(deployment, 'deleted for good')
  deployment.purgedAt = surroundings.now()
  surroundings.announce(deployment, 'purged')
  if (surroundings.dials.cleanupAt === 'purge') sendCleanups(deployment, surroundings)
  surroundings.emitGone(deployment)
}

function sendCleanups(deployment: Deployment, surroundings: Surroundings): void {
  const { dials } = surroundings
  const failed =
    deployment.readyState === 'ERROR' ||
    deployment.readyState === 'CANCELED' ||
    deployment.integrations?.status === 'skipped' ||
    deployment.integrations?.status === 'timeout'
  if (failed && !dials.cleanupAfterFailure) return
  const told = dials.cleanupPer === 'action' ? deployment.actions : deployment.actions.slice(0, 1)
  for (const action of told) surroundings.emitWebhook('cleanup', deployment, action)
}

/** A user no longer waits: the build goes on with the project's own variables. Throws when nothing is waited for. */
export function skipProvisioning(deployment: Deployment, surroundings: Surroundings): void {
  const { integrations } = deployment
  if (integrations?.status !== 'pending' || deployment.readyState !== 'QUEUED')
    throw refusal(deployment, 'skipped')
  integrations.status = 'skipped'
  integrations.skippedAt = surroundings.now()
  integrations.skippedBy = deployment.creator
  const left = endUnfinishedActions(deployment, 'skipped')
  surroundings.announce(deployment, 'skipped')
  startBuild(deployment, surroundings)
  if (surroundings.dials.cancelAfterSkip) cancelActions(deployment, left, surroundings)
}

/** Vercel no longer waits, before its time. Throws when nothing is waited for. */
export function timeOutDeployment(deployment: Deployment, surroundings: Surroundings): void {
  if (deployment.integrations?.status !== 'pending' || deployment.readyState !== 'QUEUED')
    throw refusal(deployment, 'timed out')
  surroundings.unschedule(deployment)
  timeOutProvisioning(deployment, surroundings)
}

/** Vercel no longer waits: a required resource fails the deployment, otherwise the build goes on without. */
export function timeOutProvisioning(deployment: Deployment, surroundings: Surroundings): void {
  const { integrations } = deployment
  if (!integrations) return
  integrations.status = 'timeout'
  integrations.completedAt = surroundings.now()
  const left = endUnfinishedActions(deployment, 'timeout')
  surroundings.announce(deployment, 'timed-out')
  if (left.some((action) => action.connection.required))
    failDeployment(deployment, { reason: 'Resource provisioning timed out' }, surroundings)
  else startBuild(deployment, surroundings)
  if (surroundings.dials.cancelAfterTimeout) cancelActions(deployment, left, surroundings)
}

/** Ends a deployment for the sake of one action. */
export function failProvisioning(
  deployment: Deployment,
  { action, reason }: { readonly action: HeldAction; readonly reason: string | undefined },
  surroundings: Surroundings,
): void {
  if (deployment.integrations) {
    deployment.integrations.status = 'error'
    deployment.integrations.completedAt = surroundings.now()
  }
  const left = endUnfinishedActions(deployment, 'canceled')
  const whose = `${action.connection.resourceId} (${action.chosen.slug})`
  const told = `Resource provisioning failed for ${whose}${reason ? `: ${reason}` : ''}`
  failDeployment(deployment, { reason: told }, surroundings)
  if (surroundings.dials.cancelAfterFailure) cancelActions(deployment, left, surroundings)
}

/** Gives every action that is still at work its end, and answers with those. */
export function endUnfinishedActions(deployment: Deployment, state: ActionState): HeldAction[] {
  const unfinished = deployment.actions.filter(isUnfinished)
  for (const action of unfinished) action.state = state
  return unfinished
}

function cancelActions(
  deployment: Deployment,
  actions: readonly HeldAction[],
  surroundings: Surroundings,
): void {
  for (const action of actions) surroundings.emitWebhook('cancel', deployment, action)
}

function refusal(deployment: Deployment, wish: string): Error {
  const state = deployment.deletedAt === undefined ? deployment.readyState : 'removed'
  const phase = deployment.integrations ? `, provisioning ${deployment.integrations.status}` : ''
  return new Error(`${deployment.id} is ${state}${phase}: it cannot be ${wish}`)
}
