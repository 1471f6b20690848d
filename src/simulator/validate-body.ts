import type { z } from 'zod'
import { describeIssue } from './describe-issue.ts'

export type Validation<Body> =
  | { readonly kind: 'valid'; readonly body: Body }
  | { readonly kind: 'invalid'; readonly message: string }

/** Judges a body by a schema. The message of a refusal names the field and never repeats its value. */
export function validateBody<Body>(schema: z.ZodType<Body>, value: unknown): Validation<Body> {
  const parsed = schema.safeParse(value)
  return parsed.success
    ? { kind: 'valid', body: parsed.data }
    : { kind: 'invalid', message: describeIssue(parsed.error.issues[0]) }
}
