import { z } from 'zod'
import type { Resource } from './resource.ts'
import { billingPlan, metadata, notification, resourceStatus, secrets } from './resource-schema.ts'

const resource = z.strictObject({
  id: z.string().min(1),
  productId: z.string().min(1),
  name: z.string().min(1),
  metadata,
  status: resourceStatus,
  billingPlan: billingPlan.optional(),
  notification: notification.optional(),
  protocolSettings: z.record(z.string(), z.unknown()).optional(),
  secrets: secrets.optional(),
})

/** What the provider answers about a resource that Vercel knows. */
export function resourceAnswer({ id, productId }: Resource) {
  return resource.extend({ id: z.literal(id), productId: z.literal(productId) })
}

type ProvisionAnswer = z.infer<typeof resource> & { secrets: z.infer<typeof secrets> }

/**
 * What it answers as it makes one. The secrets are there, even if none is known while the resource is `pending`; the
 * product is the one that was asked for, and so is the plan.
 */
export function provisionAnswer(
  productId: string,
  planId: string | undefined,
): z.ZodType<ProvisionAnswer> {
  const asked = resource.extend({ productId: z.literal(productId), secrets })
  if (planId === undefined) return asked
  return asked.extend({ billingPlan: billingPlan.extend({ id: z.literal(planId) }) })
}
