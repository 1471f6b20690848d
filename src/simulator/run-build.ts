import type { Deployment } from './deployment.ts'
import { settleChecks } from './settle-checks.ts'
import { startCheckRuns } from './start-check-runs.ts'
import type { Surroundings } from './surroundings.ts'

/** Lets the build go with the environment the deployment has now; it is READY after the build time. */
export function startBuild(deployment: Deployment, surroundings: Surroundings): void {
  deployment.readyState = 'BUILDING'
  deployment.buildStartedAt = surroundings.now()
  surroundings.schedule(deployment, surroundings.buildMs, () => {
    deployment.readyState = 'READY'
    deployment.buildEndedAt = surroundings.now()
    surroundings.announce(deployment, 'ready')
    // Vercel tells it only where a check waits for it.
    if (deployment.checks.length > 0) surroundings.emitDeploymentWebhook('ready', deployment)
    startCheckRuns(deployment, 'built', surroundings)
    settleChecks(deployment, surroundings)
  })
  surroundings.announce(deployment, 'build-started')
}

/** Lets the build go because every action is done, with what their outcomes set. */
export function releaseBuild(deployment: Deployment, surroundings: Surroundings): void {
  if (deployment.integrations) {
    deployment.integrations.status = 'ready'
    deployment.integrations.completedAt = surroundings.now()
  }
  deployment.env = mergedEnv(deployment)
  startBuild(deployment, surroundings)
}

/** The variables of the project and its resources, overridden by the outcomes of the actions that succeeded. */
export function mergedEnv(deployment: Deployment): Record<string, string> {
  return Object.assign(
    { ...deployment.baseEnv },
    ...deployment.actions.map((action) => action.secrets),
  )
}
