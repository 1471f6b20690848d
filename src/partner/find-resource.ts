import type { ResourceKey } from '../domain/resource-key.ts'
import type { InstallationStore, Resource } from '../installations/store.ts'
import { PartnerError } from './partner-error.ts'

/** The resource, of this installation alone. Throws a `PartnerError` (404) when it has none of that id. */
export async function findResource(
  store: InstallationStore,
  { installationId, resourceId }: ResourceKey,
): Promise<Resource> {
  const resource = await store.getResource(installationId, resourceId)
  if (resource) return resource
  throw new PartnerError(
    404,
    'not_found',
    'This installation has no such resource, so there is nothing to show or change: use the id of one that it has.',
  )
}

/** The resource, which is provisioned. Throws a `PartnerError`: 404, or 409 while it is still being provisioned. */
export async function findProvisionedResource(
  store: InstallationStore,
  key: ResourceKey,
): Promise<Resource> {
  const resource = await findResource(store, key)
  if (resource.status !== 'pending') return resource
  throw resourcePending()
}

export function resourcePending(): PartnerError {
  return new PartnerError(
    409,
    'resource_pending',
    'The resource is still being provisioned, so nothing of it was changed: send the request again when it is ready.',
    {
      userMessage: 'This resource is still being made. Try again in a few minutes.',
      passing: true,
    },
  )
}
