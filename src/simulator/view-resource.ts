import { createHash } from 'node:crypto'
import type { Installation } from './project.ts'
import { findResource } from './resource.ts'
import type { ApiDependencies } from './vercel-api.ts'

/**
 * A resource as the marketplace API answers it; undefined when the installation has none of this id, neither provisioned
 * nor connected to a project. `metadata` holds beside its own the option values that users chose, flat; of two choices
 * for one option the later connection's stands.
 */
export function viewResource(
  resourceId: string,
  installation: Installation,
  {
    projects,
    product,
    resourceSurroundings: { resources },
  }: Pick<ApiDependencies, 'projects' | 'product' | 'resourceSurroundings'>,
): Record<string, unknown> | undefined {
  const resource = findResource(resources, installation, resourceId)
  const connections = projects
    .filter((project) => project.installation === installation)
    .flatMap((project) => project.connections)
    .filter((connection) => connection.resourceId === resourceId)
  if (!resource && connections.length === 0) return undefined
  const chosen = connections.flatMap((connection) => connection.actions)
  return {
    id: resourceId,
    internalId: `store_${internalPart(installation.id, resourceId)}`,
    name: resource?.name ?? resourceId,
    status: resource?.status ?? 'ready',
    productId: resource?.productId ?? product.id,
    ...(resource?.billingPlan && { billingPlanId: resource.billingPlan.id }),
    ...(resource?.notification && { notification: resource.notification }),
    ...(resource?.protocolSettings && { protocolSettings: resource.protocolSettings }),
    metadata: Object.assign({ ...resource?.metadata }, ...chosen.map(({ options }) => options)),
  }
}

function internalPart(installationId: string, resourceId: string): string {
  return createHash('sha256').update(`${installationId}/${resourceId}`).digest('hex').slice(0, 16)
}
