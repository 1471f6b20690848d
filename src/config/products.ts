import { z } from 'zod'
import { parseDuration } from '../domain/duration.ts'
import { billingPlanSchema } from '../products/billing-plan.ts'
import type { AnyProduct, DeclaredProduct } from '../products/provision-resource.ts'

const DEFAULT_DEADLINE = '10 minutes'
const DEFAULT_KEEP_OLD_SECRETS = '24 hours'
const MAX_DEADLINE_MS = 24 * 3_600_000
// What a customer may ask Vercel for at most.
const MAX_KEEP_OLD_SECRETS_MS = 720 * 3_600_000

const step = z.custom((value) => typeof value === 'function', 'must be a function')

const plansSchema = z.array(billingPlanSchema).superRefine((plans, context) => {
  const ids = new Set<string>()
  for (const [index, { id }] of plans.entries()) {
    if (ids.has(id)) {
      const message = `must not be that of another plan (${id})`
      context.addIssue({ code: 'custom', path: [index, 'id'], message })
    }
    ids.add(id)
  }
})

export const productSchema = z.looseObject({
  name: z.string().min(1).max(100),
  metadata: z
    .custom(
      (value) => typeof value === 'object' && value !== null && 'safeParse' in value,
      'must be a zod schema, such as z.object({ … })',
    )
    .optional(),
  plans: z
    .unknown()
    .superRefine((plans, context) => {
      // What a function answers is checked when it is asked.
      if (typeof plans === 'function') return
      for (const { path, message } of plansSchema.safeParse(plans).error?.issues ?? [])
        context.addIssue({ code: 'custom', path, message })
    })
    .optional(),
  deadline: z
    .string()
    .refine(
      (text) => deadlineMs(text) !== undefined,
      "must be a duration from '1 second' to '1 day'",
    )
    .optional(),
  keepOldSecrets: z
    .string()
    .refine((text) => keepOldMs(text) !== undefined, "must be a duration of up to '30 days'")
    .optional(),
  provision: step,
  secrets: step,
  update: step.optional(),
  rotate: step.optional(),
  expireSecrets: step.optional(),
  deprovision: step,
})

/** A product that was checked, with its defaults filled in. */
export function declareProduct(slug: string, definition: AnyProduct): DeclaredProduct {
  const { deadline = DEFAULT_DEADLINE, keepOldSecrets = DEFAULT_KEEP_OLD_SECRETS } = definition
  return {
    slug,
    definition,
    deadlineMs: deadlineMs(deadline) ?? 0,
    keepOldSecretsMs: keepOldMs(keepOldSecrets) ?? 0,
  }
}

function deadlineMs(text: string): number | undefined {
  const value = parseDuration(text)
  return value !== undefined && value >= 1000 && value <= MAX_DEADLINE_MS ? value : undefined
}

function keepOldMs(text: string): number | undefined {
  const value = parseDuration(text)
  return value !== undefined && value <= MAX_KEEP_OLD_SECRETS_MS ? value : undefined
}
