import { z } from 'zod'
import { callPartner } from './call-partner.ts'
import type { Installation } from './project.ts'
import { type BillingPlan, billingPlan } from './resource-schema.ts'
import type { ResourceSurroundings } from './resource-surroundings.ts'

const plansAnswer = z.strictObject({ plans: z.array(billingPlan) })

/** What a product may cost for what a customer has filled in so far. */
export async function askProductPlans(
  installation: Installation,
  {
    product,
    metadata,
  }: { readonly product: string; readonly metadata: Readonly<Record<string, unknown>> },
  surroundings: ResourceSurroundings,
): Promise<readonly BillingPlan[]> {
  const query = new URLSearchParams({ metadata: JSON.stringify(metadata) })
  const path = `/v1/products/${encodeURIComponent(product)}/plans?${query.toString()}`
  return await askPlans(installation, path, surroundings)
}

/** The plans at `path`: those of an installation or of a resource. */
export async function askPlans(
  installation: Installation,
  path: string,
  surroundings: ResourceSurroundings,
): Promise<readonly BillingPlan[]> {
  const { plans } = await callPartner(surroundings, installation, {
    method: 'GET',
    path,
    kind: 'system',
    answers: { 200: plansAnswer },
  })
  return plans
}
