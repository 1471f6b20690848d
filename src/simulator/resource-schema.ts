import { z } from 'zod'
import { environmentProblem } from './check-environment.ts'

// The shapes that both APIs share, closed at every level: a key with a typing error is refused and not ignored.
// https://vercel.com/docs/integrations/create-integration/marketplace-api/reference

const detail = z.strictObject({ label: z.string(), value: z.string().optional() })

export const billingPlan = z.strictObject({
  id: z.string().min(1),
  type: z.enum(['prepayment', 'subscription']),
  name: z.string().min(1),
  description: z.string(),
  scope: z.enum(['installation', 'resource']).optional(),
  paymentMethodRequired: z.boolean().optional(),
  preauthorizationAmount: z.number().optional(),
  initialCharge: z.string().optional(),
  minimumAmount: z.string().optional(),
  maximumAmount: z.string().optional(),
  maximumAmountAutoPurchasePerPeriod: z.string().optional(),
  cost: z.string().optional(),
  highlightedDetails: z.array(detail).optional(),
  details: z.array(detail).optional(),
  quote: z.array(z.unknown()).optional(),
  requiredPolicies: z
    .array(z.strictObject({ id: z.string(), name: z.string(), url: z.string() }))
    .optional(),
  effectiveDate: z.string().optional(),
  disabled: z.boolean().optional(),
})

export const notification = z.strictObject({
  level: z.enum(['info', 'warn', 'error']),
  title: z.string().max(100),
  message: z.string().optional(),
  href: z
    .string()
    .regex(/^(https?:\/\/|sso:)/)
    .optional(),
})

export const resourceStatus = z.enum([
  'ready',
  'pending',
  'onboarding',
  'suspended',
  'resumed',
  'uninstalled',
  'error',
])

const secret = z.strictObject({
  name: z.string().min(1),
  value: z.string().min(1),
  prefix: z.string().optional(),
  environmentOverrides: z
    .strictObject({
      development: z.string().optional(),
      preview: z.string().optional(),
      production: z.string().optional(),
    })
    .optional(),
})

/** The secrets of a resource, which become variables and so keep the rules for those. */
export const secrets = z.array(secret).superRefine((all, context) => {
  const named = all.map(({ name, value }, index) => ({ name, value, path: `secrets[${index}]` }))
  const message = environmentProblem(named, 'secrets')
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

export const metadata = z.record(z.string(), z.unknown())

export type BillingPlan = z.infer<typeof billingPlan>
export type Notification = z.infer<typeof notification>
export type ResourceStatus = z.infer<typeof resourceStatus>
export type ResourceSecret = z.infer<typeof secret>
