import { z } from 'zod'
import { environmentProblem } from './check-environment.ts'
import { describeIssue } from './describe-issue.ts'

const statusUpdate = z.strictObject({
  status: z.enum(['running', 'succeeded', 'failed']).optional(),
  statusText: z.string().optional(),
  statusUrl: z
    .string()
    .regex(/^(https?:\/\/|sso:)/)
    .refine((url) => URL.canParse(url) && !/\s/.test(url), { error: 'Invalid URI' })
    .optional(),
  outcomes: z
    .array(
      z.strictObject({
        kind: z.literal('resource-secrets'),
        secrets: z.array(z.strictObject({ name: z.string(), value: z.string() })),
      }),
    )
    .optional(),
})

/** The body of an action update, as Vercel's published schema has it. */
export type StatusUpdate = z.infer<typeof statusUpdate>

export type UpdateValidation =
  | { readonly kind: 'valid'; readonly update: StatusUpdate }
  | { readonly kind: 'invalid'; readonly message: string }

/**
 * Judges a body by the published schema, closed at every level, and by the rules for environment variables. The
 * message of a refusal names the field and never repeats its value.
 */
export function validateUpdate(
  body: unknown,
  { statusTextLimit }: { readonly statusTextLimit: number } = { statusTextLimit: Infinity },
): UpdateValidation {
  const parsed = statusUpdate.safeParse(body)
  if (!parsed.success) return { kind: 'invalid', message: describeIssue(parsed.error.issues[0]) }
  if (Array.from(parsed.data.statusText ?? '').length > statusTextLimit)
    return {
      kind: 'invalid',
      message: `Invalid request: statusText should NOT be longer than ${statusTextLimit} characters`,
    }
  const secrets = (parsed.data.outcomes ?? []).flatMap((outcome, o) =>
    outcome.secrets.map((secret, s) => ({ ...secret, path: `outcomes[${o}].secrets[${s}]` })),
  )
  const problem = environmentProblem(secrets, 'outcomes')
  if (problem) return { kind: 'invalid', message: `Invalid request: ${problem}` }
  return { kind: 'valid', update: parsed.data }
}
