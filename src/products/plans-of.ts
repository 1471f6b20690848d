import { z } from 'zod'
import { type BillingPlan, billingPlanSchema } from './billing-plan.ts'
import type { DeclaredProduct, PlanRequest } from './provision-resource.ts'

const plansSchema = z.array(billingPlanSchema)

/**
 * What the product may cost for whom it is asked. Throws what the product's function throws, and an error that names
 * the product when it answers anything but plans.
 */
export async function plansOf(
  { slug, definition }: DeclaredProduct,
  request: PlanRequest,
): Promise<readonly BillingPlan[]> {
  const { plans = [] } = definition
  if (typeof plans !== 'function') return plans
  const answer = plansSchema.safeParse(await plans(request))
  if (answer.success) return answer.data
  throw new Error(
    `The function of the product ${slug} answered plans that Vercel would refuse, so they are not shown. Correct them in the configuration: ${z.prettifyError(answer.error)}`,
  )
}

/** What the installation as a whole may cost: products may share these plans. Throws as `plansOf`. */
export async function installationPlans(
  products: Iterable<DeclaredProduct>,
  installationId: string,
): Promise<BillingPlan[]> {
  const all = await Promise.all(
    [...products].map((product) => plansOf(product, { installationId })),
  )
  const plans = new Map(all.flat().map((plan) => [plan.id, plan]))
  return [...plans.values()].filter(({ scope }) => scope === 'installation')
}
