import { randomUUID } from 'node:crypto'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { billingPlanSchema } from '../products/billing-plan.ts'
import { findActiveInstallation } from './find-installation.ts'
import { claimUnknown, findOffer } from './find-offer.ts'
import { findProvisionedResource } from './find-resource.ts'
import { body, json, optionalBody } from './json.ts'
import { lockedFor, refusals } from './lock.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { installationParams, installationPath } from './paths.ts'
import { invalidRequest, refuseInvalid } from './refuse-invalid.ts'
import type { ResourceDoor } from './resource-door.ts'
import { shortText } from './short-text.ts'
import { showResource } from './show-resource.ts'

const path = `${installationPath}/resource-transfer-requests` as const
const claimParams = installationParams.extend({ claimId: shortText() })

const offer = createRoute({
  ...lockedFor('system'),
  method: 'post',
  path,
  summary: 'The customer offers resources to another installation',
  request: {
    params: installationParams,
    body: body(
      z.object({
        resourceIds: z.array(shortText()).min(1).max(1_000),
        expiresAt: z.int().openapi({ description: 'Milliseconds since 1970' }),
      }),
    ),
  },
  responses: {
    ...refusals,
    200: json(z.object({ providerClaimId: z.string() }), 'By which the offer can be accepted'),
  },
})

// One page of Vercel's documents reads `newBillingPlan`, another one `valid` and `billingPlan`.
const verify = createRoute({
  ...lockedFor('system'),
  method: 'get',
  path: `${path}/{claimId}/verify`,
  summary: 'Whether this installation may accept the offer, and on which plan',
  request: { params: claimParams },
  responses: {
    ...refusals,
    200: json(
      z.object({
        valid: z.literal(true),
        newBillingPlan: billingPlanSchema.optional(),
        billingPlan: z.object({ id: z.string(), cost: z.string().optional() }).optional(),
      }),
      'It may; with the plan, where all that is offered has the same',
    ),
  },
})

// One page sends nothing and takes 204, another one says who accepts and takes `success`.
const accept = createRoute({
  ...lockedFor('system'),
  method: 'post',
  path: `${path}/{claimId}/accept`,
  summary: 'This installation accepts the offer',
  request: {
    params: claimParams,
    body: optionalBody(
      z.object({
        targetInstallationId: z.string().nullish(),
        targetTeamId: z.string().nullish().openapi({ description: 'Not looked at' }),
      }),
    ),
  },
  responses: {
    ...refusals,
    200: json(z.object({ success: z.literal(true) }), 'The resources are of this installation'),
    204: { description: 'The resources are of this installation' },
  },
})

/** Transfers: resources of one installation are offered, and become those of another. */
export function transferRoutes(door: Pick<ResourceDoor, 'store' | 'products'>) {
  const { store } = door
  return new OpenAPIHono<PartnerEnvironment>({ defaultHook: refuseInvalid })
    .openapi(offer, async (c) => {
      const { installationId } = c.req.valid('param')
      const { resourceIds, expiresAt } = c.req.valid('json')
      if (expiresAt <= Date.now()) {
        throw invalidRequest([{ key: 'expiresAt', message: 'must be in the future' }])
      }
      await findActiveInstallation(store, installationId)
      for (const resourceId of resourceIds) {
        await findProvisionedResource(store, { installationId, resourceId })
      }
      // Whoever has it may take the resources, so it must not be guessed from anything.
      const claimId = randomUUID()
      await store.putTransferRequest({
        claimId,
        fromInstallationId: installationId,
        resourceIds,
        expiresAtMs: expiresAt,
      })
      return c.json({ providerClaimId: claimId }, 200)
    })
    .openapi(verify, async (c) => {
      const { installationId, claimId } = c.req.valid('param')
      await findActiveInstallation(store, installationId)
      const resources = await findOffer(store, { claimId, toInstallationId: installationId })
      if (!resources) throw claimUnknown()
      const shown = await Promise.all(resources.map((resource) => showResource(door, resource)))
      const [plan, ...others] = shown.map(({ billingPlan }) => billingPlan)
      if (!plan || others.some((other) => other?.id !== plan.id)) {
        return c.json({ valid: true as const }, 200)
      }
      const { id, cost } = plan
      const billingPlan = { id, ...(cost !== undefined && { cost }) }
      return c.json({ valid: true as const, newBillingPlan: plan, billingPlan }, 200)
    })
    .openapi(accept, async (c) => {
      const { installationId, claimId } = c.req.valid('param')
      const { targetInstallationId } = c.req.valid('json')
      if (targetInstallationId && targetInstallationId !== installationId) {
        const message = 'must be the installation in the path'
        throw invalidRequest([{ key: 'targetInstallationId', message }])
      }
      await findActiveInstallation(store, installationId)
      await findOffer(store, { claimId, toInstallationId: installationId })
      // Also where there is no offer any more: this installation may have accepted it, and lost the answer.
      const accepted = await store.acceptTransferRequest(claimId, installationId, Date.now())
      if (!accepted) throw claimUnknown()
      return targetInstallationId ? c.json({ success: true as const }, 200) : c.body(null, 204)
    })
}
