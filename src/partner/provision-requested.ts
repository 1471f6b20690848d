import { type ResourceKey, resourceIdFor } from '../domain/resource-key.ts'
import { PartnerError } from './partner-error.ts'
import { parseMetadata } from './parse-metadata.ts'
import { requirePlan } from './require-plan.ts'
import { invalidRequest } from './refuse-invalid.ts'
import type { ResourceDoor, ResourceProgress } from './resource-door.ts'

/** What a customer wants to have. */
export interface WantedResource {
  readonly productId: string
  readonly name: string
  readonly metadata?: Readonly<Record<string, unknown>> | null | undefined
  readonly billingPlanId?: string | null | undefined
  readonly protocolSettings?: Readonly<Record<string, unknown>> | null | undefined
}

/**
 * Has the resource provisioned that a request asks for. The same request, by its name, is the same resource each time,
 * and what is known of it since is left as it is. Throws a `PartnerError` (400), with nothing kept, when the product
 * cannot be provisioned so.
 */
export async function provisionRequested(
  { store, products, provision }: ResourceDoor,
  {
    installationId,
    name,
    wanted,
  }: { installationId: string; name: string; wanted: WantedResource },
): Promise<{ key: ResourceKey; progress: ResourceProgress }> {
  const product = products.get(wanted.productId)
  if (!product) {
    throw invalidRequest([{ key: 'productId', message: 'is not a product that is declared here' }])
  }
  const metadata = await parseMetadata(product, wanted.metadata ?? {})
  const billingPlanId = wanted.billingPlanId ?? undefined
  await requirePlan(product, billingPlanId, { installationId, metadata })
  const { protocolSettings } = wanted
  const key = { installationId, resourceId: resourceIdFor(installationId, name) }
  const added = await store.addResource({
    id: key.resourceId,
    installationId,
    productId: product.slug,
    name: wanted.name,
    metadata,
    ...(billingPlanId !== undefined && { billingPlanId }),
    status: 'pending',
    ...(protocolSettings && { protocolSettings }),
  })
  if (!added && !(await store.getResource(installationId, key.resourceId))) throw transferredAway()
  // Where this throws, the work may have begun, so what it needs stays: the same request finds it.
  const progress = await provision(key)
  // As while an earlier one of that name is being removed: nothing was begun with this one.
  if (added && progress.kind === 'busy') await store.removeResource(installationId, key.resourceId)
  return { key, progress }
}

function transferredAway(): PartnerError {
  return new PartnerError(
    409,
    'resource_transferred',
    'What this request provisioned was transferred to another installation since, so nothing was done: send a new request for another resource.',
  )
}
