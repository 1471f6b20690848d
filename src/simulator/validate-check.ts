import { z } from 'zod'
import { validateBody, type Validation } from './validate-body.ts'

const registration = z.strictObject({
  name: z.string().min(1),
  requires: z.enum(['build-ready', 'deployment-url', 'none']),
  isRerequestable: z.boolean().optional(),
  targets: z.array(z.string()).optional(),
  blocks: z
    .enum(['build-start', 'deployment-start', 'deployment-alias', 'deployment-promotion', 'none'])
    .optional(),
  // Of the three kinds of source, the one that an integration has.
  source: z
    .strictObject({ kind: z.literal('integration'), externalResourceId: z.string().optional() })
    .optional(),
  timeout: z.number().positive().optional(),
})

const runUpdate = z
  .strictObject({
    status: z.enum(['queued', 'running', 'completed']).optional(),
    conclusion: z
      .enum(['canceled', 'skipped', 'timeout', 'failed', 'neutral', 'succeeded'])
      .optional(),
    conclusionText: z.string().optional(),
    externalId: z.string().optional(),
    externalUrl: z
      .string()
      .regex(/^(https?:\/\/|sso:)/)
      .refine((url) => URL.canParse(url) && !/\s/.test(url), { error: 'Invalid URI' })
      .optional(),
    output: z.record(z.string(), z.unknown()).optional(),
    completedAt: z.number().optional(),
  })
  .refine(({ status, conclusion }) => (status === 'completed') === (conclusion !== undefined), {
    path: ['conclusion'],
    error: 'should be there when, and only when, the status is completed',
  })

/** The body that registers a check, as Vercel's published schema has it. */
export type CheckRegistration = z.infer<typeof registration>
/** The body of a check run's update, as Vercel's published schema has it. */
export type CheckRunUpdate = z.infer<typeof runUpdate>

/** Judges a body by the published schema, closed at every level. Names the field and never repeats its value. */
export function validateRegistration(body: unknown): Validation<CheckRegistration> {
  return validateBody(registration, body)
}

/** As `validateRegistration`; besides, a completed run has a conclusion, and no other has. */
export function validateCheckRunUpdate(body: unknown): Validation<CheckRunUpdate> {
  return validateBody(runUpdate, body)
}
