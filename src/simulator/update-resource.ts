import { callPartner } from './call-partner.ts'
import { changeResource } from './change-resource.ts'
import type { Resource } from './resource.ts'
import { resourceAnswer } from './resource-answer.ts'
import { resourcePath, type ResourceSurroundings } from './resource-surroundings.ts'

/** What a customer changed. */
export interface ResourceUpdate {
  readonly name?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly billingPlanId?: string
}

/** Has the provider change a resource, and takes what it answers. */
export async function updateResource(
  resource: Resource,
  update: ResourceUpdate,
  surroundings: ResourceSurroundings,
): Promise<void> {
  const { version, installation } = resource
  const answer = await callPartner(surroundings, installation, {
    method: 'PATCH',
    path: resourcePath(installation, resource.id),
    kind: 'user',
    body: update,
    answers: { 200: resourceAnswer(resource) },
  })
  takeAnswer(resource, version, answer, surroundings)
}

/** Asks the provider for its state of a resource, and takes it. */
export async function readResource(
  resource: Resource,
  surroundings: ResourceSurroundings,
): Promise<void> {
  const { version, installation } = resource
  const answer = await callPartner(surroundings, installation, {
    method: 'GET',
    path: resourcePath(installation, resource.id),
    kind: 'system',
    answers: { 200: resourceAnswer(resource) },
  })
  takeAnswer(resource, version, answer, surroundings)
}

// What the provider told of its own accord while it was asked is newer than its answer.
function takeAnswer(
  resource: Resource,
  version: number,
  answer: Parameters<typeof changeResource>[1],
  surroundings: ResourceSurroundings,
): void {
  if (resource.version === version) changeResource(resource, answer, surroundings)
}
