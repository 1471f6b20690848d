import { z } from 'zod'
import { type BillingPlan, billingPlanSchema } from './billing-plan.ts'
import type { AnyProduct, PlanRequest } from './provision-resource.ts'

/** The plan of this id, as the product offers it for the request; undefined when it does not. */
export async function planOf(
  { plans = [] }: AnyProduct,
  planId: string,
  request: PlanRequest,
): Promise<BillingPlan | undefined> {
  const offered = typeof plans === 'function' ? await plans(request) : plans
  return z
    .array(billingPlanSchema)
    .parse(offered)
    .find(({ id }) => id === planId)
}
