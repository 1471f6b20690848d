import type { UnsentEvent } from './build-webhook.ts'
import type { PartnerSide } from './call-partner.ts'
import type { Installation, Project } from './project.ts'
import type { Resource } from './resource.ts'
import type { ResourceChange, TimelineEvent } from './timeline.ts'

/** What the life of a resource touches outside itself. */
export interface ResourceSurroundings extends PartnerSide {
  readonly resources: Resource[]
  readonly projects: readonly Project[]
  /** The slugs of what can be provisioned. */
  readonly products: readonly string[]
  readonly record: (event: TimelineEvent) => void
  readonly emit: (event: UnsentEvent, installation: Installation) => void
}

/** Tells whoever watches; called after the resource has changed. */
export function announceResource(
  { installation, id }: Resource,
  change: ResourceChange,
  { record, now }: Pick<ResourceSurroundings, 'record' | 'now'>,
): void {
  record({
    kind: 'resource',
    at: now(),
    installationId: installation.id,
    resourceId: id,
    change,
  })
}

export function resourcePath(installation: Installation, resourceId?: string): string {
  const path = `/v1/installations/${installation.id}/resources`
  return resourceId === undefined ? path : `${path}/${encodeURIComponent(resourceId)}`
}
