import { createHash } from 'node:crypto'
import type { Installation, Product, Project } from './project.ts'

/**
 * A resource as the marketplace API answers it; undefined when no project of the installation has it. `metadata`
 * holds the option values that users chose, flat; of two choices for one option the later connection's stands.
 */
export function viewResource(
  resourceId: string,
  installation: Installation,
  projects: readonly Project[],
  product: Product,
): Record<string, unknown> | undefined {
  const connections = projects
    .filter((project) => project.installation === installation)
    .flatMap((project) => project.connections)
    .filter((connection) => connection.resourceId === resourceId)
  if (connections.length === 0) return undefined
  const chosen = connections.flatMap((connection) => connection.actions)
  return {
    id: resourceId,
    internalId: `store_${internalPart(installation.id, resourceId)}`,
    name: resourceId,
    status: 'ready',
    productId: product.id,
    metadata: Object.assign({}, ...chosen.map(({ options }) => options)),
  }
}

function internalPart(installationId: string, resourceId: string): string {
  return createHash('sha256').update(`${installationId}/${resourceId}`).digest('hex').slice(0, 16)
}
