import type { DriverCall } from '../drivers/driver.ts'
import type { Resource } from '../installations/store.ts'
import type { Log } from '../log.ts'
import type { ProvisionedCall, ResourceSettings } from './provision-resource.ts'

/** What a product's functions are called with for a resource, as the store has it. */
export function productCall(
  resource: Resource,
  call: DriverCall & { readonly log: Log },
): ProvisionedCall<unknown, unknown> {
  const { id, installationId, productId, reference } = resource
  return {
    ...call,
    ...settingsOf(resource),
    key: { installationId, resourceId: id },
    product: productId,
    reference,
  }
}

/** What the customer has set. Metadata was checked when it came in. */
export function settingsOf({ name, metadata, billingPlanId }: Resource): ResourceSettings<unknown> {
  return { name, metadata, ...(billingPlanId !== undefined && { billingPlanId }) }
}
