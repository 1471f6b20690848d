import { z } from 'zod'
import { billingPlan, metadata, notification, resourceStatus, secrets } from './resource-schema.ts'
import { validateBody } from './validate-body.ts'

// A plan that the provider answers has a description; one that it sends may do without.
const sentPlan = billingPlan.extend({ description: z.string().default('') })

const secretsUpdate = z.strictObject({ secrets, partial: z.boolean().optional() })

const resourceUpdate = z.strictObject({
  ownership: z.enum(['owned', 'linked', 'sandbox']).optional(),
  productId: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  status: resourceStatus.optional(),
  metadata: metadata.optional(),
  billingPlan: sentPlan.optional(),
  notification: notification.nullable().optional(),
  extras: z.record(z.string(), z.unknown()).optional(),
  // The documented second form is a bare list.
  secrets: z
    .preprocess((given) => (Array.isArray(given) ? { secrets: given } : given), secretsUpdate)
    .optional(),
})

const installationUpdate = z.strictObject({
  status: resourceStatus.optional(),
  externalId: z.string().optional(),
  billingPlan: sentPlan.optional(),
  notification: notification.nullable().optional(),
})

const event = z.strictObject({
  event: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('installation.updated'),
      billingPlanId: z.string().optional(),
    }),
    z.strictObject({
      type: z.literal('resource.updated'),
      resourceId: z.string().min(1),
      productId: z.string().optional(),
    }),
  ]),
})

const rotation = z.strictObject({ clientSecret: z.string(), clientId: z.string().optional() })

export const validateResourceUpdate = (body: unknown) => validateBody(resourceUpdate, body)
export const validateSecretsUpdate = (body: unknown) => validateBody(secretsUpdate, body)
export const validateInstallationUpdate = (body: unknown) => validateBody(installationUpdate, body)
export const validateEvent = (body: unknown) => validateBody(event, body)
export const validateTokenRotation = (body: unknown) => validateBody(rotation, body)
