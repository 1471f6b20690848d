import type { Project } from './project.ts'
import { findResource, type Resource, variablesOf } from './resource.ts'

/** What a project gets from its resources in an environment; of two with the same name the later connection's stands. */
export function resourceVariables(
  { connections, installation }: Project,
  environment: string,
  resources: readonly Resource[],
): Record<string, string> {
  return Object.assign(
    {},
    ...connections.map(({ resourceId }) => {
      const resource = findResource(resources, installation, resourceId)
      return resource && variablesOf(resource, environment)
    }),
  )
}
