import type { ResourceChange } from '../domain/resource-change.ts'
import type { Resource } from '../installations/store.ts'
import { resourcePending } from './find-resource.ts'
import { parseMetadata } from './parse-metadata.ts'
import { requirePlan } from './require-plan.ts'
import { productOf } from './product-of.ts'
import type { ResourceDoor } from './resource-door.ts'

/** What a customer would have otherwise. Unset is left as it is. */
export interface WantedChanges {
  readonly name?: string | null | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | null | undefined
  readonly billingPlanId?: string | null | undefined
  readonly protocolSettings?: Readonly<Record<string, unknown>> | null | undefined
}

type Changes = Extract<ResourceChange, { kind: 'update' }>['changes']

/**
 * The changes that are asked for, checked as those of a new resource are; a plan that stays may be one that is not
 * offered any more. Throws a `PartnerError`: 400 when a field is wrong, 409 before the resource is provisioned.
 */
export async function wantedChanges(
  { products }: Pick<ResourceDoor, 'products'>,
  resource: Resource,
  { name, metadata: wantedMetadata, billingPlanId, protocolSettings }: WantedChanges,
): Promise<Changes> {
  if (resource.status === 'pending') throw resourcePending()
  const product = productOf(products, resource)
  const metadata = wantedMetadata ? await parseMetadata(product, wantedMetadata) : undefined
  if (billingPlanId && billingPlanId !== resource.billingPlanId) {
    await requirePlan(product, billingPlanId, {
      installationId: resource.installationId,
      resourceId: resource.id,
      metadata: metadata ?? resource.metadata,
    })
  }
  return {
    ...(name && { name }),
    ...(metadata && { metadata }),
    ...(billingPlanId && { billingPlanId }),
    ...(protocolSettings && { protocolSettings }),
  }
}
