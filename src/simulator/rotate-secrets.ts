import { z } from 'zod'
import { callPartner } from './call-partner.ts'
import { changeResource } from './change-resource.ts'
import type { Resource } from './resource.ts'
import { secrets } from './resource-schema.ts'
import { resourcePath, type ResourceSurroundings } from './resource-surroundings.ts'

/** Why and how a customer has secrets rotated. */
export interface RotationRequest {
  readonly reason?: string
  /** From 0 to 720; may be a fraction. */
  readonly delayOldSecretsExpirationHours?: number
  /** That of an earlier request repeats it. Drawn at random unless said. */
  readonly idempotencyKey?: string
}

type RotationAnswer = z.infer<typeof rotatedNow> | z.infer<typeof rotatedLater>

const rotatedNow = z.strictObject({
  sync: z.literal(true),
  secrets,
  partial: z.boolean().optional(),
})
const rotatedLater = z.strictObject({ sync: z.literal(false) })

/** Asks the provider for new secrets. It answers with them, or gives them later: until then the resource is `rotating`. */
export async function rotateSecrets(
  resource: Resource,
  { idempotencyKey, ...body }: RotationRequest,
  surroundings: ResourceSurroundings,
): Promise<void> {
  const { installation, id } = resource
  // The new ones may come before the answer does.
  resource.rotating = true
  try {
    const answer = await callPartner<RotationAnswer>(surroundings, installation, {
      method: 'POST',
      path: `${resourcePath(installation, id)}/secrets/rotate`,
      kind: 'user',
      body,
      idempotencyKey,
      answers: { 200: rotatedNow, 202: rotatedLater },
      once: {
        field: 'secrets',
        of: (given) => (given.sync ? JSON.stringify(given.secrets) : undefined),
      },
    })
    if (answer.sync) changeResource(resource, answer, surroundings)
  } catch (error) {
    resource.rotating = false
    throw error
  }
}
