import { disconnectProject } from './connect-project.ts'
import type { Resource } from './resource.ts'
import { announceResource, type ResourceSurroundings } from './resource-surroundings.ts'

/** Lets a resource go, with its connections to projects. The second time nothing is left to do. */
export function forgetResource(resource: Resource, surroundings: ResourceSurroundings): void {
  const { resources, projects, emit } = surroundings
  const index = resources.indexOf(resource)
  if (index < 0) return
  resources.splice(index, 1)
  announceResource(resource, 'deleted', surroundings)
  for (const project of projects) {
    const connected = project.connections.some(({ resourceId }) => resourceId === resource.id)
    if (connected && project.installation === resource.installation)
      disconnectProject(project, resource.id, emit)
  }
}
