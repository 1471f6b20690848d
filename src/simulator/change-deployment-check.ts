import type { UpdateVerdict } from './apply-update.ts'
import type { Deployment } from './deployment.ts'
import { type DeploymentCheck, newDeploymentCheck } from './deployment-check.ts'
import { newId } from './identifiers.ts'
import { CHECKS_FAILED, settleChecks } from './settle-checks.ts'
import type { Surroundings } from './surroundings.ts'
import type { CheckCreation, CheckUpdate } from './validate-deployment-check.ts'

/** Whether nothing of the deployment is waited for any more. */
export function isFinished({ readyState, checks }: Deployment): boolean {
  if (readyState === 'ERROR' || readyState === 'CANCELED') return true
  return readyState === 'READY' && checks.every(({ status }) => status === 'completed')
}

/** Creates a check of a deployment that is not finished. */
export function createDeploymentCheck(
  deployment: Deployment,
  creation: CheckCreation,
  surroundings: Surroundings,
): DeploymentCheck {
  const createdAt = surroundings.now()
  const check = newDeploymentCheck(creation, { id: newId('check'), createdAt })
  deployment.checks.push(check)
  watch(deployment, check, surroundings)
  surroundings.announce(deployment, 'check-queued', { check })
  return check
}

/** Takes a valid update of a check. One that is completed is answered as the dials say, and never changes. */
export function updateDeploymentCheck(
  deployment: Deployment,
  check: DeploymentCheck,
  update: CheckUpdate,
  surroundings: Surroundings,
): UpdateVerdict {
  const { dials, now } = surroundings
  if (check.status === 'completed') {
    const status = dials.checkUpdateAfterEnd
    if (status !== 200)
      return { kind: 'refused', status, message: `The check has ${check.conclusion} already` }
    check.acceptedUpdates.push(update)
    return { kind: 'accepted' }
  }
  check.acceptedUpdates.push(update)
  Object.assign(check, update)
  check.updatedAt = now()
  if (update.status === 'running') {
    check.startedAt = check.updatedAt
    surroundings.announce(deployment, 'check-running', { check })
  }
  if (update.status !== 'completed') {
    watch(deployment, check, surroundings)
    return { kind: 'accepted' }
  }
  surroundings.unscheduleCheckRun(check)
  check.completedAt = check.updatedAt
  surroundings.announce(deployment, 'check-completed', { check })
  settleChecks(deployment, surroundings)
  return { kind: 'accepted' }
}

/**
 * Has a check run once more and tells the integration; a deployment that failed with its checks is open again. Throws
 * for a check that is not to be asked for again.
 */
export function rerequestDeploymentCheck(
  deployment: Deployment,
  check: DeploymentCheck,
  surroundings: Surroundings,
  { isRunning = false }: { readonly isRunning?: boolean } = {},
): void {
  if (!check.rerequestable || deployment.deletedAt !== undefined)
    throw new Error(`The check ${check.name} cannot be requested again`)
  delete check.conclusion
  delete check.detailsUrl
  delete check.externalId
  delete check.output
  delete check.completedAt
  check.status = isRunning ? 'running' : 'registered'
  check.updatedAt = surroundings.now()
  if (deployment.errorCode === CHECKS_FAILED) {
    deployment.readyState = 'READY'
    delete deployment.errorCode
    delete deployment.errorMessage
  }
  watch(deployment, check, surroundings)
  surroundings.announce(deployment, 'check-rerequested', { check })
  surroundings.emitDeploymentWebhook('check-rerequested', deployment, check)
}

/** Gives the check up when it is not touched for too long. */
function watch(deployment: Deployment, check: DeploymentCheck, surroundings: Surroundings): void {
  const { registered, running } = surroundings.dials.checkStaleAfterMs
  const ms = check.status === 'running' ? running : registered
  surroundings.scheduleCheckRun(check, ms, () => {
    check.status = 'completed'
    check.conclusion = 'stale'
    check.updatedAt = surroundings.now()
    surroundings.announce(deployment, 'check-timed-out', { check })
  })
}
