import { z } from 'zod'
import { type BillingPlan, billingPlanSchema } from '../products/billing-plan.ts'
import type { DeclaredProduct, PlanRequest } from '../products/provision-resource.ts'
import { invalidRequest } from './refuse-invalid.ts'

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

/**
 * Throws a `PartnerError` (400) unless a resource of the product may have the plan, or go without one. A product whose
 * plans are chosen for each resource is not given away.
 */
export async function requirePlan(
  product: DeclaredProduct,
  billingPlanId: string | undefined,
  request: PlanRequest,
): Promise<void> {
  const plans = await plansOf(product, request)
  if (billingPlanId === undefined) {
    if (plans.every(({ scope }) => scope === 'installation')) return
    throw wrongPlan('is required: the product has plans')
  }
  const plan = plans.find(({ id }) => id === billingPlanId)
  if (!plan) throw wrongPlan('is not a plan of the product')
  if (plan.disabled) throw wrongPlan('is a plan that is not offered any more')
}

function wrongPlan(message: string) {
  return invalidRequest([{ key: 'billingPlanId', message }])
}
