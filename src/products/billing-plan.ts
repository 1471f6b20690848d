import { z } from 'zod'

/**
 * What a resource or installation may cost, as Vercel shows it. Keys that are not listed pass, as Vercel adds to them.
 * https://vercel.com/docs/integrations/create-integration/marketplace-api
 */
export const billingPlanSchema = z.looseObject({
  id: z.string().min(1),
  type: z.enum(['prepayment', 'subscription']),
  name: z.string().min(1),
  description: z.string(),
  /** Whether it is chosen for each resource or once for the installation. Vercel's default: `resource`. */
  scope: z.enum(['installation', 'resource']).optional(),
  paymentMethodRequired: z.boolean().optional(),
  cost: z.string().optional(),
  disabled: z.boolean().optional(),
})

export type BillingPlan = z.infer<typeof billingPlanSchema>
