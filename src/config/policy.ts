import { z } from 'zod'
import type { ActionPolicy } from '../actions/action-policy.ts'
import { parseDuration } from '../domain/duration.ts'
import { type Policy, PROTECTED_BRANCHES } from '../domain/policy.ts'

const treatmentSchema = z.enum(['allow', 'skip', 'fail'])
const namesSchema = z.array(z.string().min(1)).min(1, 'must name at least one')
const limit = 'must be a whole number from 1 on'
const limitSchema = z.number(limit).int(limit).min(1, limit)

/** What may be written as `policy`. Closed: a rule with a typing error in its name would protect nothing. */
export const policySchema = z.strictObject({
  environments: namesSchema.optional(),
  gitBranches: z
    .strictObject({ only: namesSchema.optional(), except: namesSchema.optional() })
    .refine(({ only, except }) => only ?? except, 'must have only, except or both')
    .optional(),
  otherwise: z.enum(['skip', 'fail']).optional(),
  bots: treatmentSchema.optional(),
  forks: treatmentSchema.optional(),
  quota: z
    .strictObject({
      perResource: limitSchema.optional(),
      perInstallation: limitSchema.optional(),
      whenFull: z.enum(['fail', 'evict']).optional(),
    })
    .refine(
      ({ perResource, perInstallation }) => perResource ?? perInstallation,
      'must have perResource, perInstallation or both',
    )
    .optional(),
  ttl: z
    .string()
    .refine(
      (text) => (parseDuration(text) ?? 0) >= 1000,
      "must be a duration of a second or more, such as '7 days'",
    )
    .optional(),
  protectedBranches: z.array(z.string().min(1)).optional(),
})

/** What the action would have to do for its policy and cannot; by the policy's fields. */
export function policyProblems(action: {
  readonly policy?: z.infer<typeof policySchema> | undefined
  readonly list?: unknown
  readonly evict?: unknown
}): { readonly field: 'quota' | 'ttl'; readonly message: string }[] {
  const { quota, ttl } = action.policy ?? {}
  const unlisted = 'needs an action that can tell what it made (list), and this one cannot'
  return [
    ...(quota && !action.list ? [{ field: 'quota' as const, message: unlisted }] : []),
    ...(ttl && !action.list ? [{ field: 'ttl' as const, message: unlisted }] : []),
    ...(quota?.whenFull === 'evict' && !action.evict
      ? [
          {
            field: 'quota' as const,
            message: "this action keeps nothing that could be evicted (evict): write 'fail'",
          },
        ]
      : []),
  ]
}

/** Fills in the defaults of a policy that was checked. */
export function checkedPolicy(policy: ActionPolicy): Policy {
  const { environments, gitBranches, otherwise = 'skip', bots = 'allow', forks = 'allow' } = policy
  const { quota, ttl, protectedBranches = PROTECTED_BRANCHES } = policy
  return {
    ...(environments && { environments }),
    ...(gitBranches && { gitBranches }),
    otherwise,
    bots,
    forks,
    protectedBranches,
    ...(quota && { quota: { ...quota, whenFull: quota.whenFull ?? 'fail' } }),
    ...(ttl !== undefined && { ttlMs: parseDuration(ttl) ?? Infinity }),
  }
}
