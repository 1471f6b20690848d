import { deploymentPayloadSchema } from './event.ts'
import type { Reader } from './reader.ts'

/** Reads which deployment is gone for good. */
export const readDeploymentRemoved: Reader = (payload) => {
  const parsed = deploymentPayloadSchema.safeParse(payload)
  if (!parsed.success) return parsed.error
  const { deployment, team, user } = parsed.data
  const accountId = team?.id ?? user?.id
  return {
    kind: 'deployment-removed',
    deploymentId: deployment.id,
    ...(accountId && { accountId }),
  }
}
