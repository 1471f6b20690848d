import { z } from 'zod'

// Schemas of what Vercel sends. Unknown keys are allowed everywhere and passed over: Vercel adds keys as it goes.

const id = z
  .string()
  .min(1)
  .max(1000)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')

/** What every webhook has. */
export const envelopeSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  createdAt: z.number(),
  payload: z.looseObject({}),
})

/** The payload that `deployment.integration.action.start`, `.cancel` and `.cleanup` share. */
export const actionPayloadSchema = z
  .looseObject({
    installationId: id,
    // Vercel's reference names it, Vercel's own short example leaves it out.
    configuration: z.looseObject({ id }).optional(),
    resourceId: id,
    action: id,
    deployment: z.looseObject({ id }),
    team: z.looseObject({ id: z.string() }).nullish().catch(undefined),
    options: z.record(z.string(), z.unknown()).optional().catch(undefined),
  })
  .refine(
    (payload) => !payload.configuration || payload.configuration.id === payload.installationId,
    {
      path: ['configuration', 'id'],
      message: 'must be equal to installationId',
    },
  )
