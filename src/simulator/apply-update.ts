import { applyLateUpdate } from './apply-late-update.ts'
import { isTooLarge } from './check-environment.ts'
import { type Deployment, type HeldAction, isTerminal, isUnfinished } from './deployment.ts'
import type { Dials, LateUpdateAnswer } from './dials.ts'
import { failProvisioning } from './end-deployment.ts'
import { outcomeVariables } from './outcome-variables.ts'
import { mergedEnv, releaseBuild } from './run-build.ts'
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
 * update nobody waits for is answered as the dials say, and what a 202 for it does is theirs to say as well.
 */
export function applyUpdate(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  surroundings: Surroundings,
): UpdateVerdict {
  const late = lateness(deployment, action, update, surroundings)
  if (late && late.answer !== 202)
    return { kind: 'refused', status: late.answer, message: late.message }
  const problem = late ? undefined : outcomeProblem(deployment, action, update, surroundings)
  if (problem)
    return { kind: 'refused', status: 400, message: `Invalid request: outcomes: ${problem}` }
  action.acceptedUpdates.push(update)
  if (late) applyLateUpdate(deployment, action, update, surroundings)
  else takeUpdate(deployment, action, update, surroundings)
  return { kind: 'accepted' }
}

function lateness(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  { dials }: Surroundings,
): { readonly answer: LateUpdateAnswer; readonly message: string } | undefined {
  if (deployment.deletedAt !== undefined)
    return { answer: dials.updateAfterRemoval, message: 'The deployment was deleted' }
  if (deployment.readyState === 'CANCELED')
    return { answer: dials.updateAfterEnd, message: 'The deployment was canceled' }
  if (isTerminal(action.state)) {
    const answer = repeats(action, update, dials) ? 202 : dials.updateAfterTerminal
    return { answer, message: `The action has ${action.state} already` }
  }
  if (action.state === 'canceled')
    return { answer: dials.updateAfterEnd, message: 'The action was canceled' }
  if (deployment.integrations?.status !== 'pending') {
    const message = `The deployment no longer waits: ${deployment.integrations?.status}`
    return { answer: dials.updateAfterEnd, message }
  }
  return undefined
}

function repeats(action: HeldAction, update: StatusUpdate, { repeatedUpdate }: Dials): boolean {
  const ending = action.acceptedUpdates.find(({ status }) => isTerminal(status))
  return repeatedUpdate === 'accepted' && JSON.stringify(ending) === JSON.stringify(update)
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
  return isTooLarge({ ...env, ...outcomeVariables(update, dials) })
    ? 'the environment of the deployment would exceed 65536 bytes'
    : undefined
}

function takeUpdate(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  surroundings: Surroundings,
): void {
  const { dials } = surroundings
  if (update.statusText !== undefined) action.statusText = update.statusText
  if (update.statusUrl !== undefined) action.statusUrl = update.statusUrl
  if (update.status) action.state = update.status
  if (update.status === 'succeeded') action.secrets = outcomeVariables(update, dials)
  surroundings.announce(
    deployment,
    update.status ? `action-${update.status}` : 'action-described',
    {
      action,
      text: update.statusText,
    },
  )
  if (update.status === 'failed' && action.connection.required)
    failProvisioning(deployment, { action, reason: action.statusText }, surroundings)
  else if (!deployment.actions.some(isUnfinished)) releaseBuild(deployment, surroundings)
  if (update.status === 'failed' && dials.cancelFailedAction)
    surroundings.emitWebhook('cancel', deployment, action)
}

function without(deployment: Deployment, action: HeldAction): HeldAction[] {
  return deployment.actions.filter((other) => other !== action)
}
