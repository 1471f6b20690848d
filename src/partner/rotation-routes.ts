import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { findActiveInstallation } from './find-installation.ts'
import { findProvisionedResource, findResource } from './find-resource.ts'
import { requestName } from './idempotency.ts'
import { json, optionalBody } from './json.ts'
import { lockedFor, refusals } from './lock.ts'
import { PartnerError } from './partner-error.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { resourceParams, resourcePath } from './paths.ts'
import { productOf } from './product-of.ts'
import { refuseInvalid } from './refuse-invalid.ts'
import { refuseUnbegun } from './refuse-unbegun.ts'
import type { ResourceDoor } from './resource-door.ts'
import { secretsSchema, showSecrets } from './show-resource.ts'

const HOUR_MS = 3_600_000

const rotate = createRoute({
  ...lockedFor('user', 'system'),
  method: 'post',
  path: `${resourcePath}/secrets/rotate`,
  summary: 'New secrets are wanted, the old ones to stay good for a while',
  request: {
    params: resourceParams,
    body: optionalBody(
      z.object({
        reason: z.string().nullish(),
        delayOldSecretsExpirationHours: z.number().min(0).max(720).nullish(),
      }),
    ),
  },
  responses: {
    ...refusals,
    200: json(z.object({ sync: z.literal(true), secrets: secretsSchema }), 'The new secrets'),
    202: json(z.object({ sync: z.literal(false) }), 'Vercel is handed them when they are made'),
  },
})

/** The rotation of a resource's secrets. */
export function rotationRoutes(door: ResourceDoor) {
  const { store, products } = door
  return new OpenAPIHono<PartnerEnvironment>({ defaultHook: refuseInvalid }).openapi(
    rotate,
    async (c) => {
      const key = c.req.valid('param')
      const { delayOldSecretsExpirationHours: hours } = c.req.valid('json')
      await findActiveInstallation(store, key.installationId)
      const resource = await findProvisionedResource(store, key)
      const { definition, keepOldSecretsMs } = productOf(products, resource)
      if (!definition.rotate) {
        throw new PartnerError(
          409,
          'rotation_unsupported',
          `The product ${resource.productId} cannot rotate secrets, so the ones that are there stay: add \`rotate\` to it in the configuration.`,
          { userMessage: 'The secrets of this product cannot be rotated.' },
        )
      }
      const progress = await door.change(key, {
        kind: 'rotation',
        rotationId: requestName(c),
        keepOldMs: typeof hours === 'number' ? Math.round(hours * HOUR_MS) : keepOldSecretsMs,
      })
      if (refuseUnbegun(progress) === 'goes-on') return c.json({ sync: false as const }, 202)
      const secrets = await showSecrets(door, await findResource(store, key))
      return c.json({ sync: true as const, secrets }, 200)
    },
  )
}
