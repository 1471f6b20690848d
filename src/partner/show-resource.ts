import { z } from '@hono/zod-openapi'
import type { Resource } from '../installations/store.ts'
import { billingPlanSchema } from '../products/billing-plan.ts'
import { plansOf } from '../products/plans-of.ts'
import type { ResourceDoor } from './resource-door.ts'

/** A resource as Vercel reads it. */
export const resourceSchema = z
  .object({
    id: z.string(),
    productId: z.string(),
    name: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    status: z.string(),
    billingPlan: billingPlanSchema.optional(),
    protocolSettings: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('Resource')

export const secretsSchema = z
  .array(z.object({ name: z.string(), value: z.string() }))
  .openapi('Secrets')

/** The resource, with its plan as a whole, as far as its product still has it; never with secrets. */
export async function showResource(
  { products }: Pick<ResourceDoor, 'products'>,
  resource: Resource,
): Promise<z.infer<typeof resourceSchema>> {
  const { id, installationId, productId, name, metadata, status, protocolSettings } = resource
  const product = products.get(productId)
  const plans =
    product && resource.billingPlanId !== undefined
      ? await plansOf(product, { installationId, resourceId: id, metadata })
      : []
  const billingPlan = plans.find((plan) => plan.id === resource.billingPlanId)
  return {
    id,
    productId,
    name,
    metadata: { ...metadata },
    status,
    ...(billingPlan && { billingPlan }),
    ...(protocolSettings && { protocolSettings: { ...protocolSettings } }),
  }
}

/** The secrets of the resource as Vercel is handed them. Throws an `ActionFailure`. */
export async function showSecrets(
  { secretsOf }: Pick<ResourceDoor, 'secretsOf'>,
  resource: Resource,
): Promise<z.infer<typeof secretsSchema>> {
  const secrets = await secretsOf(resource)
  return Object.entries(secrets).map(([name, value]) => ({ name, value: value.reveal() }))
}
