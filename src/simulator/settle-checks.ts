import type { Deployment } from './deployment.ts'
import { failDeployment } from './fail-deployment.ts'
import type { Surroundings } from './surroundings.ts'

export const CHECKS_FAILED = 'CHECKS_FAILED'

/** Fails a deployment that is built, when a check that it may not go on without has failed or was canceled. */
export function settleChecks(deployment: Deployment, surroundings: Surroundings): void {
  if (deployment.readyState !== 'READY' || deployment.deletedAt !== undefined) return
  const bad = deployment.checks.find(
    ({ blocking, conclusion }) =>
      blocking && (conclusion === 'failed' || conclusion === 'canceled'),
  )
  if (!bad) return
  const reason = `The check ${bad.name} has ${bad.conclusion}`
  failDeployment(deployment, { reason, errorCode: CHECKS_FAILED }, surroundings)
}
