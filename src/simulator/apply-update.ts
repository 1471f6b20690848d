import { isTooLarge } from './check-environment.ts'
import { type Deployment, type HeldAction, isTerminal } from './deployment.ts'
import type { LateUpdateAnswer } from './dials.ts'
import { cancelActions, endUnfinishedActions } from './end-deployment.ts'
import { failDeployment, mergedEnv, startBuild } from './run-build.ts'
import type { Surroundings } from './surroundings.ts'
import type { StatusUpdate } from './validate-update.ts'

export type UpdateVerdict =
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'refused'
      readonly status: Exclude<LateUpdateAnswer, 202>
      readonly message: string
    }

/**
 * Takes a valid update of an action, and releases or fails the deployment when that was what it waited for. An
 * update nobody waits for is answered as the dials say; a 202 for it is recorded and has no effect.
 */
export function applyUpdate(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  surroundings: Surroundings,
): UpdateVerdict {
  const late = lateness(deployment, action, surroundings)
  if (late && late.answer !== 202)
    return { kind: 'refused', status: late.answer, message: late.message }
  const problem = late ? undefined : outcomeProblem(deployment, action, update, surroundings)
  if (problem)
    return { kind: 'refused', status: 400, message: `Invalid request: outcomes: ${problem}` }
  action.acceptedUpdates.push(update)
  if (late) injectLate(deployment, action, update, surroundings)
  else takeUpdate(deployment, action, update, surroundings)
  return { kind: 'accepted' }
}

function lateness(
  deployment: Deployment,
  action: HeldAction,
  { dials }: Surroundings,
): { readonly answer: LateUpdateAnswer; readonly message: string } | undefined {
  if (deployment.deletedAt !== undefined)
    return { answer: dials.updateAfterRemoval, message: 'The deployment was deleted' }
  if (deployment.readyState === 'CANCELED')
    return { answer: dials.updateAfterEnd, message: 'The deployment was canceled' }
  if (isTerminal(action.state))
    return { answer: dials.updateAfterTerminal, message: `The action has ${action.state} already` }
  if (deployment.integrations?.status !== 'pending') {
    const message = `The deployment no longer waits: ${deployment.integrations?.status}`
    return { answer: dials.updateAfterEnd, message }
  }
  return undefined
}

function outcomeProblem(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  { dials }: Surroundings,
): string | undefined {
  if (update.status !== 'succeeded') return undefined
  if (!update.outcomes?.length && dials.outcomesRequired)
    return 'should be there when the status is succeeded'
  const env = { ...mergedEnv({ ...deployment, actions: without(deployment, action) }) }
  return isTooLarge({ ...env, ...secretsOf(update) })
    ? 'the environment of the deployment would exceed 65536 bytes'
    : undefined
}

function takeUpdate(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  surroundings: Surroundings,
): void {
  if (update.statusText !== undefined) action.statusText = update.statusText
  if (update.statusUrl !== undefined) action.statusUrl = update.statusUrl
  if (update.status) action.state = update.status
  if (update.status === 'succeeded') action.secrets = secretsOf(update)
  surroundings.announce(
    deployment,
    update.status ? `action-${update.status}` : 'action-described',
    {
      action,
      text: update.statusText,
    },
  )
  if (update.status === 'failed' && action.connection.required)
    failProvisioning(deployment, action, surroundings)
  else if (deployment.actions.every(({ state }) => isTerminal(state)))
    release(deployment, surroundings)
}

function release(deployment: Deployment, surroundings: Surroundings): void {
  if (deployment.integrations) {
    deployment.integrations.status = 'ready'
    deployment.integrations.completedAt = surroundings.now()
  }
  deployment.env = mergedEnv(deployment)
  startBuild(deployment, surroundings)
}

function failProvisioning(
  deployment: Deployment,
  action: HeldAction,
  surroundings: Surroundings,
): void {
  if (deployment.integrations) {
    deployment.integrations.status = 'error'
    deployment.integrations.completedAt = surroundings.now()
  }
  const left = endUnfinishedActions(deployment, 'canceled')
  const reason = action.statusText ? `: ${action.statusText}` : ''
  failDeployment(
    deployment,
    `Resource provisioning failed for ${action.connection.resourceId} (${action.chosen.slug})${reason}`,
    surroundings,
  )
  if (surroundings.dials.cancelAfterFailure) cancelActions(deployment, left, surroundings)
}

// Undocumented: a success after a skip or timeout might still reach a build that runs.
function injectLate(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  { dials, announce }: Surroundings,
): void {
  const lapsed = action.state === 'skipped' || action.state === 'timeout'
  const building = deployment.readyState === 'BUILDING' && deployment.deletedAt === undefined
  if (!dials.lateSuccessInjects || update.status !== 'succeeded' || !lapsed || !building) return
  action.secrets = secretsOf(update)
  deployment.env = mergedEnv(deployment)
  announce(deployment, 'action-succeeded', { action, text: update.statusText })
}

function without(deployment: Deployment, action: HeldAction): HeldAction[] {
  return deployment.actions.filter((other) => other !== action)
}

function secretsOf(update: StatusUpdate): Record<string, string> {
  const secrets = (update.outcomes ?? []).flatMap((outcome) => outcome.secrets)
  return Object.fromEntries(secrets.map(({ name, value }) => [name, value]))
}
