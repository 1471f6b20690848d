import { plansOf } from '../products/plans-of.ts'
import type { DeclaredProduct, PlanRequest } from '../products/provision-resource.ts'
import { invalidRequest } from './refuse-invalid.ts'

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
