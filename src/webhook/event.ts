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

const team = z.looseObject({ id: z.string() }).nullish().catch(undefined)

/** The payload that `deployment.integration.action.start`, `.cancel` and `.cleanup` share. */
export const actionPayloadSchema = z
  .looseObject({
    installationId: id,
    // Vercel's reference names it, Vercel's own short example leaves it out.
    configuration: z.looseObject({ id }).optional(),
    resourceId: id,
    action: id,
    deployment: z.looseObject({ id }),
    team,
    options: z.record(z.string(), z.unknown()).optional().catch(undefined),
  })
  .refine(
    (payload) => !payload.configuration || payload.configuration.id === payload.installationId,
    {
      path: ['configuration', 'id'],
      message: 'must be equal to installationId',
    },
  )

/** An id that may be missing, or be whatever a later Vercel makes of it. */
const perhapsId = id.nullish().catch(undefined)

/** The integration's installations that an event concerns, with their resources. */
const integrations = z
  .array(
    z.looseObject({
      installationId: id,
      resources: z
        .array(z.looseObject({ externalResourceId: perhapsId }))
        .nullish()
        .catch(undefined),
    }),
  )
  .nullish()
  .catch(undefined)

/** The payload that `deployment.checkrun.start` and `.cancel` share, as far as is known: most of it may be missing. */
export const checkRunPayloadSchema = z.looseObject({
  checkRun: z.looseObject({
    id,
    name: perhapsId,
    deploymentId: perhapsId,
    timeout: z.number().positive().nullish().catch(undefined),
    source: z
      .looseObject({
        kind: z.string().nullish().catch(undefined),
        integrationConfigurationId: perhapsId,
        externalResourceId: perhapsId,
      })
      .nullish()
      .catch(undefined),
  }),
  deployment: z.looseObject({ id: perhapsId }).nullish().catch(undefined),
  installationId: perhapsId,
  configuration: z.looseObject({ id: perhapsId }).nullish().catch(undefined),
  integrations,
  team,
})

/** The payload that `integration-resource.project-connected` and `.project-disconnected` share. */
export const connectionPayloadSchema = z.looseObject({
  installationId: id,
  resourceId: id,
  projectId: id,
})

/** What any event may have, and the events of a deployment tell their installations by. Fits every payload. */
export const concernedSchema = z.looseObject({
  integrations,
  // Its deprecated form.
  installationIds: z.array(id).nullish().catch(undefined),
})

/** The payload that the events of a deployment share, `deployment.created` and its like. */
export const deploymentEventPayloadSchema = z.looseObject({
  deployment: z.looseObject({ id }),
  team,
})

/** The payload of `deployment.check-rerequested`. */
export const rerequestPayloadSchema = deploymentEventPayloadSchema.extend({
  check: z.looseObject({ id }),
})

/** The payload of `deployment.cleanup`. */
export const deploymentPayloadSchema = z.looseObject({
  deployment: z.looseObject({ id }),
  team: z.looseObject({ id: perhapsId }).nullish().catch(undefined),
  user: z.looseObject({ id: perhapsId }).nullish().catch(undefined),
})

/** The payload of `integration-configuration.removed`. */
export const configurationPayloadSchema = z.looseObject({ configuration: z.looseObject({ id }) })

/** The payload of `integration-configuration.transferred`. */
export const transferPayloadSchema = configurationPayloadSchema.extend({ newTeamId: perhapsId })
