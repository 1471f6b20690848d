import { type Deployment, type HeldAction, isTerminal } from './deployment.ts'
import { failProvisioning } from './end-deployment.ts'
import { outcomeVariables } from './outcome-variables.ts'
import { mergedEnv } from './run-build.ts'
import type { Surroundings } from './surroundings.ts'
import type { StatusUpdate } from './validate-update.ts'

/** What an update does that nobody waits for and that was answered 202: nothing, unless the dials say otherwise. */
export function applyLateUpdate(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  surroundings: Surroundings,
): void {
  if (deployment.deletedAt !== undefined) return
  const { dials } = surroundings
  const lapsed = action.state === 'skipped' || action.state === 'timeout'
  if (lapsed && dials.lateSuccessInjects) inject(deployment, action, update, surroundings)
  if (isTerminal(action.state) && dials.laterTerminal === 'replaces')
    replaceEnd(deployment, action, update, surroundings)
}

// Undocumented: a success after a skip or timeout might still reach a build that runs.
function inject(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  { dials, announce }: Surroundings,
): void {
  if (update.status !== 'succeeded' || deployment.readyState !== 'BUILDING') return
  action.secrets = outcomeVariables(update, dials)
  deployment.env = mergedEnv(deployment)
  announce(deployment, 'action-succeeded', { action, text: update.statusText })
}

// Undocumented as well: the last word might count. A build that is over keeps what it had.
function replaceEnd(
  deployment: Deployment,
  action: HeldAction,
  update: StatusUpdate,
  surroundings: Surroundings,
): void {
  if (update.status !== 'succeeded' && update.status !== 'failed') return
  action.state = update.status
  action.secrets = update.status === 'succeeded' ? outcomeVariables(update, surroundings.dials) : {}
  surroundings.announce(deployment, `action-${update.status}`, { action, text: update.statusText })
  if (deployment.readyState !== 'QUEUED' && deployment.readyState !== 'BUILDING') return
  if (update.status === 'failed' && action.connection.required)
    failProvisioning(deployment, { action, reason: update.statusText }, surroundings)
  else deployment.env = mergedEnv(deployment)
}
