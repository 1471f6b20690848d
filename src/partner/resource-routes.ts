import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { findActiveInstallation } from './find-installation.ts'
import { findResource } from './find-resource.ts'
import { requestName } from './idempotency.ts'
import { body, json, optionalBody } from './json.ts'
import { lockedFor, refusals } from './lock.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { installationParams, installationPath, resourceParams, resourcePath } from './paths.ts'
import { provisionRequested } from './provision-requested.ts'
import { refuseInvalid } from './refuse-invalid.ts'
import { refuseUnbegun } from './refuse-unbegun.ts'
import type { ResourceDoor } from './resource-door.ts'
import { shortText } from './short-text.ts'
import { resourceSchema, secretsSchema, showResource, showSecrets } from './show-resource.ts'
import { wantedChanges } from './wanted-changes.ts'

const provision = createRoute({
  ...lockedFor('user'),
  method: 'post',
  path: `${installationPath}/resources`,
  summary: 'The customer wants a resource',
  request: {
    params: installationParams,
    body: body(
      z.object({
        productId: z.string(),
        name: shortText(),
        metadata: z.record(z.string(), z.unknown()).nullish(),
        billingPlanId: shortText().nullish(),
        externalId: z.string().nullish().openapi({ description: 'Not looked at' }),
        protocolSettings: z.record(z.string(), z.unknown()).nullish(),
      }),
    ),
  },
  responses: {
    ...refusals,
    200: json(
      resourceSchema.extend({ secrets: secretsSchema.optional() }).openapi('ProvisionedResource'),
      'It is `ready`, with its secrets, or `pending`: then Vercel is told of its end, with the secrets',
    ),
  },
})

const read = createRoute({
  ...lockedFor('system', 'user'),
  method: 'get',
  path: resourcePath,
  summary: 'The resource, without its secrets',
  request: { params: resourceParams },
  responses: { ...refusals, 200: json(resourceSchema, 'It is there') },
})

const update = createRoute({
  ...lockedFor('user'),
  method: 'patch',
  path: resourcePath,
  summary: 'The customer wants another name, plan or metadata',
  request: {
    params: resourceParams,
    body: body(
      z.object({
        name: shortText().nullish(),
        metadata: z.record(z.string(), z.unknown()).nullish(),
        billingPlanId: shortText().nullish(),
        status: z.string().nullish().openapi({ deprecated: true, description: 'Not looked at' }),
        protocolSettings: z.record(z.string(), z.unknown()).nullish(),
      }),
    ),
  },
  responses: {
    ...refusals,
    200: json(resourceSchema, 'It is changed, or `pending`: then Vercel is told of its end'),
  },
})

const remove = createRoute({
  ...lockedFor('user', 'system'),
  method: 'delete',
  path: resourcePath,
  summary: 'The customer does not want the resource any more',
  request: {
    params: resourceParams,
    body: optionalBody(z.object({ cascadeResourceDeletion: z.boolean().nullish() })),
  },
  responses: { ...refusals, 204: { description: 'All of it goes, with every branch' } },
})

/** Resources: provisioned, read, changed and removed. */
export function resourceRoutes(door: ResourceDoor) {
  const { store } = door
  return new OpenAPIHono<PartnerEnvironment>({ defaultHook: refuseInvalid })
    .openapi(provision, async (c) => {
      const { installationId } = c.req.valid('param')
      await findActiveInstallation(store, installationId)
      const request = { installationId, name: requestName(c), wanted: c.req.valid('json') }
      const { key, progress } = await provisionRequested(door, request)
      const reached = refuseUnbegun(progress)
      const resource = await findResource(store, key)
      if (reached === 'goes-on') {
        return c.json(await showResource(door, { ...resource, status: 'pending' }), 200)
      }
      const secrets = await showSecrets(door, resource)
      return c.json({ ...(await showResource(door, resource)), secrets }, 200)
    })
    .openapi(read, async (c) => {
      return c.json(await showResource(door, await findResource(store, c.req.valid('param'))), 200)
    })
    .openapi(update, async (c) => {
      const key = c.req.valid('param')
      await findActiveInstallation(store, key.installationId)
      const resource = await findResource(store, key)
      const changes = await wantedChanges(door, resource, c.req.valid('json'))
      if (Object.keys(changes).length === 0) return c.json(await showResource(door, resource), 200)
      const reached = refuseUnbegun(await door.change(key, { kind: 'update', changes }))
      const changed =
        reached === 'done'
          ? await findResource(store, key)
          : { ...resource, ...changes, status: 'pending' as const }
      return c.json(await showResource(door, changed), 200)
    })
    .openapi(remove, async (c) => {
      const key = c.req.valid('param')
      // The second time, after all is done: it is as removed as before.
      if (await store.getResource(key.installationId, key.resourceId)) {
        await door.remove(key, 'The customer deleted the resource.')
      }
      return c.body(null, 204)
    })
}
