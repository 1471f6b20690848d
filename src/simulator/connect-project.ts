import { connectionEvent } from './connection-event.ts'
import { connectResource, type ConnectionChoice, type Product, type Project } from './project.ts'
import type { ResourceSurroundings } from './resource-surroundings.ts'

/** Connects one more resource to a project and tells the provider. Throws when it is connected already. */
export function connectProject(
  project: Project,
  { product, choice }: { readonly product: Product; readonly choice: ConnectionChoice },
  emit: ResourceSurroundings['emit'],
): void {
  if (project.connections.some(({ resourceId }) => resourceId === choice.resourceId))
    throw new Error(`${project.name} is connected to ${choice.resourceId} already`)
  const connection = connectResource(product, choice)
  project.connections = [...project.connections, connection]
  emit(connectionEvent('connected', project, connection), project.installation)
}

/** Takes a connection back and tells the provider. Deployments that are there keep what they have. Throws when there is none. */
export function disconnectProject(
  project: Project,
  resourceId: string,
  emit: ResourceSurroundings['emit'],
): void {
  const connection = project.connections.find((each) => each.resourceId === resourceId)
  if (!connection) throw new Error(`${project.name} has no resource ${resourceId}`)
  project.connections = project.connections.filter((each) => each !== connection)
  emit(connectionEvent('disconnected', project, connection), project.installation)
}
