import { z } from 'zod'
import { validateBody, type Validation } from './validate-body.ts'

const name = z.string().min(1).max(100)
const path = z.string().max(255).optional()
const detailsUrl = z.string().optional()
const externalId = z.string().optional()

const creation = z.strictObject({
  name,
  path,
  blocking: z.boolean(),
  detailsUrl,
  externalId,
  rerequestable: z.boolean().optional(),
})

const metric = z.strictObject({
  value: z.number().nullable(),
  previousValue: z.number().optional(),
  source: z.literal('web-vitals'),
})

const update = z
  .strictObject({
    name: name.optional(),
    path,
    status: z.enum(['running', 'completed']).optional(),
    conclusion: z.enum(['canceled', 'failed', 'neutral', 'succeeded', 'skipped']).optional(),
    detailsUrl,
    output: z
      .strictObject({
        metrics: z
          .strictObject({
            FCP: metric,
            LCP: metric,
            CLS: metric,
            TBT: metric,
            virtualExperienceScore: metric.optional(),
          })
          .optional(),
      })
      .optional(),
    externalId,
  })
  .refine(({ status, conclusion }) => (status === 'completed') === (conclusion !== undefined), {
    path: ['conclusion'],
    error: 'should be there when, and only when, the status is completed',
  })

/** The body that creates a check of a deployment, as Vercel's published schema has it. */
export type CheckCreation = z.infer<typeof creation>
/** The body of its update, as Vercel's published schema has it. */
export type CheckUpdate = z.infer<typeof update>

/** Judges a body by the published schema, closed at every level. Names the field and never repeats its value. */
export function validateCheckCreation(body: unknown): Validation<CheckCreation> {
  return validateBody(creation, body)
}

/** As `validateCheckCreation`; besides, a completed check has a conclusion, and no other has. */
export function validateCheckUpdate(body: unknown): Validation<CheckUpdate> {
  return validateBody(update, body)
}
