import { z } from 'zod'
import { callPartner } from './call-partner.ts'
import { forgetResource } from './forget-resource.ts'
import type { Resource } from './resource.ts'
import { resourcePath, type ResourceSurroundings } from './resource-surroundings.ts'

/** Has the provider take a resource back, and lets it go unless the provider refuses. */
export async function deleteResource(
  resource: Resource,
  surroundings: ResourceSurroundings,
): Promise<void> {
  const { installation, id } = resource
  await callPartner(surroundings, installation, {
    method: 'DELETE',
    path: resourcePath(installation, id),
    kind: 'user',
    body: { cascadeResourceDeletion: true },
    answers: { 204: z.undefined() },
  })
  forgetResource(resource, surroundings)
}
