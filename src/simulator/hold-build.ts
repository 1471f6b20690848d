import type { Deployment } from './deployment.ts'
import { timeOutProvisioning } from './end-deployment.ts'
import { startBuild } from './run-build.ts'
import { startCheckRuns } from './start-check-runs.ts'
import type { Surroundings } from './surroundings.ts'

/** Starts every action of a new deployment and holds its build; without actions the build starts at once. */
export function holdBuild(deployment: Deployment, surroundings: Surroundings): void {
  if (deployment.actions.length === 0) {
    surroundings.announce(deployment, 'created')
    surroundings.emitDeploymentWebhook('created', deployment)
    startCheckRuns(deployment, 'created', surroundings)
    startBuild(deployment, surroundings)
    return
  }
  deployment.integrations = { status: 'pending', startedAt: surroundings.now() }
  surroundings.announce(deployment, 'created')
  surroundings.emitDeploymentWebhook('created', deployment)
  surroundings.schedule(deployment, surroundings.provisioningTimeoutMs, () =>
    timeOutProvisioning(deployment, surroundings),
  )
  for (const action of deployment.actions) surroundings.emitWebhook('start', deployment, action)
  startCheckRuns(deployment, 'created', surroundings)
}
