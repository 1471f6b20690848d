import type { Deployment } from './deployment.ts'
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
    startCheckRuns(deployment, 'built', surroundings)
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

/** Ends a deployment whose provisioning failed: the build never starts, its log stays empty. */
export function failDeployment(
  deployment: Deployment,
  reason: string,
  surroundings: Surroundings,
): void {
  surroundings.unschedule(deployment)
  deployment.readyState = 'ERROR'
  deployment.errorCode = 'BUILD_FAILED'
  deployment.errorMessage = reason
  surroundings.announce(deployment, 'failed', { text: reason })
}

/** The variables of the project and its resources, overridden by the outcomes of the actions that succeeded. */
export function mergedEnv(deployment: Deployment): Record<string, string> {
  return Object.assign(
    { ...deployment.baseEnv },
    ...deployment.actions.map((action) => action.secrets),
  )
}
