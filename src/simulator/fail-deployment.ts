import type { Deployment } from './deployment.ts'
import type { Surroundings } from './surroundings.ts'

/** Ends a deployment that is not to serve. One whose provisioning failed is never built: its log stays empty. */
export function failDeployment(
  deployment: Deployment,
  { reason, errorCode = 'BUILD_FAILED' }: { readonly reason: string; readonly errorCode?: string },
  surroundings: Surroundings,
): void {
  surroundings.unschedule(deployment)
  deployment.readyState = 'ERROR'
  deployment.errorCode = errorCode
  deployment.errorMessage = reason
  surroundings.announce(deployment, 'failed', { text: reason })
  surroundings.emitDeploymentWebhook('error', deployment)
}
