import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Secret } from '../domain/secret.ts'
import { isToken } from '../installations/access-token.ts'
import type { Installation, InstallationStore } from '../installations/store.ts'
import { billingPlanSchema } from '../products/billing-plan.ts'
import { installationPlans } from '../products/plans-of.ts'
import type { DeclaredProduct } from '../products/provision-resource.ts'
import { findInstallation, installationRemoving } from './find-installation.ts'
import { body, json, optionalBody } from './json.ts'
import { lockedFor, refusals } from './lock.ts'
import type { PartnerEnvironment } from './partner-environment.ts'
import { PartnerError } from './partner-error.ts'
import { installationParams as params, installationPath as path } from './paths.ts'
import { invalidRequest, refuseInvalid } from './refuse-invalid.ts'
import { shortText } from './short-text.ts'

export interface InstallationDoor {
  readonly store: InstallationStore
  /** Whose plans an installation may have; without any that are for installations, every id is taken as it comes. */
  readonly products?: ReadonlyMap<string, DeclaredProduct> | undefined
  /** Answers a sentence for the customer where the provider keeps the installation, as with an unpaid bill. */
  readonly refuseRemoval: (request: {
    readonly installationId: string
    readonly reason?: string
  }) => Promise<string | undefined>
  /**
   * Has everything of the installation taken back, and answers whether that is done already. Resolves once Temporal
   * has it: it is done then, whatever happens to this process. The second time it is the same removal.
   */
  readonly remove: (installationId: string, because: string) => Promise<{ finished: boolean }>
}

const installationAnswer = z
  .object({ billingPlan: z.union([billingPlanSchema, z.object({ id: z.string() })]).optional() })
  .openapi('Installation')

const upsert = createRoute({
  ...lockedFor('user'),
  method: 'put',
  path,
  summary: 'The customer has installed the integration',
  request: {
    params,
    body: body(
      z.object({
        scopes: z.array(z.string()),
        acceptedPolicies: z.record(z.string(), z.string()).default({}),
        credentials: z.object({
          // It travels in a header of every call.
          access_token: z.string().refine(isToken, 'must be one token, without spaces'),
          token_type: z.string(),
        }),
        account: z
          .object({
            name: z.string().nullish(),
            url: z.string().nullish(),
            contact: z.object({ email: z.string(), name: z.string().nullish() }).nullish(),
          })
          .nullish(),
      }),
    ),
  },
  responses: { ...refusals, 200: json(installationAnswer, 'It is known, with its token') },
})

const read = createRoute({
  ...lockedFor('system', 'user'),
  method: 'get',
  path,
  summary: 'What the provider knows of the installation',
  request: { params },
  responses: { ...refusals, 200: json(installationAnswer, 'It is known') },
})

const update = createRoute({
  ...lockedFor('user'),
  method: 'patch',
  path,
  summary: 'The customer has chosen another plan',
  request: { params, body: body(z.object({ billingPlanId: shortText() })) },
  responses: { ...refusals, 200: json(installationAnswer, 'The plan is changed') },
})

const remove = createRoute({
  ...lockedFor('user', 'system'),
  method: 'delete',
  path,
  summary: 'The customer uninstalls the integration',
  request: {
    params,
    body: optionalBody(
      z.object({
        cascadeResourceDeletion: z.boolean().optional(),
        reason: z.string().max(10_000).optional(),
      }),
    ),
  },
  responses: {
    ...refusals,
    200: json(
      z.object({ finalized: z.boolean() }),
      'Everything of it goes; `finalized` once nothing is left',
    ),
  },
})

/** Installations: made, read, changed and removed. */
export function installationRoutes({
  store,
  products = new Map(),
  refuseRemoval,
  remove: begin,
}: InstallationDoor) {
  /** What Vercel is shown: a plan that is not offered any more by its id alone. */
  const shown = async (
    installationId: string,
    { billingPlanId: id }: Pick<Installation, 'billingPlanId'>,
  ) => {
    if (id === undefined) return {}
    const plans = await installationPlans(products.values(), installationId)
    return { billingPlan: plans.find((plan) => plan.id === id) ?? { id } }
  }
  return new OpenAPIHono<PartnerEnvironment>({ defaultHook: refuseInvalid })
    .openapi(upsert, async (c) => {
      const { installationId } = c.req.valid('param')
      const { scopes, acceptedPolicies, credentials, account } = c.req.valid('json')
      const before = await store.getInstallation(installationId)
      if (before?.state === 'removing') throw installationRemoving()
      const { name, url, contact } = account ?? {}
      await store.putInstallation(
        {
          ...before,
          id: installationId,
          scopes,
          acceptedPolicies,
          account: {
            ...(name && { name }),
            ...(url && { url }),
            ...(contact && {
              contact: { email: contact.email, ...(contact.name && { name: contact.name }) },
            }),
          },
          state: 'active',
        },
        new Secret(credentials.access_token),
      )
      return c.json(await shown(installationId, before ?? {}), 200)
    })
    .openapi(read, async (c) => {
      const { installationId } = c.req.valid('param')
      return c.json(await shown(installationId, await findInstallation(store, installationId)), 200)
    })
    .openapi(update, async (c) => {
      const { installationId } = c.req.valid('param')
      const { billingPlanId } = c.req.valid('json')
      const installation = await findInstallation(store, installationId)
      const plans = await installationPlans(products.values(), installationId)
      if (
        plans.length > 0 &&
        !plans.some(({ id, disabled }) => id === billingPlanId && !disabled)
      ) {
        throw invalidRequest([
          { key: 'billingPlanId', message: 'is not a plan that an installation may have' },
        ])
      }
      await store.updateInstallation(installationId, { billingPlanId })
      return c.json(await shown(installationId, { ...installation, billingPlanId }), 200)
    })
    .openapi(remove, async (c) => {
      const { installationId } = c.req.valid('param')
      const { reason } = c.req.valid('json') ?? {}
      // The second time, after all is done: it is as removed as before.
      if (!(await store.getInstallation(installationId))) return c.json({ finalized: true }, 200)
      const refusal = await refuseRemoval({ installationId, ...(reason && { reason }) })
      if (refusal !== undefined) {
        throw new PartnerError(
          409,
          'removal_refused',
          'The provider keeps this installation, so nothing of it was taken back.',
          { userMessage: refusal },
        )
      }
      const { finished } = await begin(installationId, 'The customer uninstalled the integration.')
      return c.json({ finalized: finished }, 200)
    })
}
