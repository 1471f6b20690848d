import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { parseJson } from '../domain/parse-json.ts'
import { billingPlanSchema } from '../products/billing-plan.ts'
import { installationPlans, plansOf } from '../products/plans-of.ts'
import { findResource } from './find-resource.ts'
import { json } from './json.ts'
import { lockedFor, refusals } from './lock.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { PartnerError } from './partner-error.ts'
import { installationParams, installationPath, resourceParams, resourcePath } from './paths.ts'
import { productOf } from './product-of.ts'
import { refuseInvalid } from './refuse-invalid.ts'
import type { ResourceDoor } from './resource-door.ts'

const responses = {
  ...refusals,
  200: json(z.object({ plans: z.array(billingPlanSchema) }), 'What there is to choose from'),
}

const ofProduct = createRoute({
  ...lockedFor('system'),
  method: 'get',
  path: '/v1/products/{slug}/plans',
  summary: 'What a product may cost, asked at each change of the form',
  request: {
    params: z.object({ slug: z.string().min(1) }),
    query: z.object({
      metadata: z
        .string()
        .transform(parseJson)
        .pipe(z.record(z.string(), z.unknown(), 'must be a JSON object, URL-encoded'))
        .optional()
        .openapi({ type: 'string', description: 'What the customer filled in so far, as JSON' }),
    }),
  },
  responses,
})

const ofInstallation = createRoute({
  ...lockedFor('system'),
  method: 'get',
  path: `${installationPath}/plans`,
  summary: 'What the installation may cost as a whole',
  request: { params: installationParams },
  responses,
})

const ofResource = createRoute({
  ...lockedFor('system'),
  method: 'get',
  path: `${resourcePath}/plans`,
  summary: 'What a resource may cost from now on',
  request: { params: resourceParams },
  responses,
})

/** Plans: of a product, of an installation, and of a resource. */
export function planRoutes({ store, products }: Pick<ResourceDoor, 'store' | 'products'>) {
  return new OpenAPIHono<PartnerEnvironment>({ defaultHook: refuseInvalid })
    .openapi(ofProduct, async (c) => {
      const product = products.get(c.req.valid('param').slug)
      if (!product) {
        throw new PartnerError(
          404,
          'not_found',
          'There is no such product, so it has no plans: declare it in the configuration under the slug that Vercel has.',
        )
      }
      const { metadata } = c.req.valid('query')
      return c.json({ plans: [...(await plansOf(product, metadata ? { metadata } : {}))] }, 200)
    })
    .openapi(ofInstallation, async (c) => {
      const { installationId } = c.req.valid('param')
      return c.json({ plans: await installationPlans(products.values(), installationId) }, 200)
    })
    .openapi(ofResource, async (c) => {
      const { installationId, resourceId } = c.req.valid('param')
      const resource = await findResource(store, { installationId, resourceId })
      const { metadata } = resource
      const product = productOf(products, resource)
      const plans = await plansOf(product, { installationId, resourceId, metadata })
      return c.json({ plans: [...plans] }, 200)
    })
}
