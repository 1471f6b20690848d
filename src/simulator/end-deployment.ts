import { type ActionState, type Deployment, type HeldAction, isTerminal } from './deployment.ts'
import { failDeployment, startBuild } from './run-build.ts'
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
  for (const action of told) surroundings.emitWebhook('cancel', deployment, action)
}

/** Deletes a deployment and sends the cleanups of the actions it ran. Throws when it is deleted already. */
export function removeDeployment(deployment: Deployment, surroundings: Surroundings): void {
  const { dials } = surroundings
  if (deployment.deletedAt !== undefined) throw refusal(deployment, 'removed')
  surroundings.unschedule(deployment)
  const failed =
    deployment.readyState === 'ERROR' ||
    deployment.readyState === 'CANCELED' ||
    deployment.integrations?.status === 'skipped' ||
    deployment.integrations?.status === 'timeout'
  deployment.deletedAt = surroundings.now()
  endUnfinishedActions(deployment, 'canceled')
  surroundings.announce(deployment, 'removed')
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

/** Vercel no longer waits: a required resource fails the deployment, otherwise the build goes on without. */
export function timeOutProvisioning(deployment: Deployment, surroundings: Surroundings): void {
  const { integrations } = deployment
  if (!integrations) return
  integrations.status = 'timeout'
  integrations.completedAt = surroundings.now()
  const left = endUnfinishedActions(deployment, 'timeout')
  surroundings.announce(deployment, 'timed-out')
  if (left.some((action) => action.connection.required))
    failDeployment(deployment, 'Resource provisioning timed out', surroundings)
  else startBuild(deployment, surroundings)
  if (surroundings.dials.cancelAfterTimeout) cancelActions(deployment, left, surroundings)
}

/** Gives every action that is still at work its end, and answers with those. */
export function endUnfinishedActions(deployment: Deployment, state: ActionState): HeldAction[] {
  const unfinished = deployment.actions.filter(
    (action) => action.state === 'pending' || action.state === 'running',
  )
  for (const action of unfinished) action.state = state
  return unfinished
}

export function cancelActions(
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
