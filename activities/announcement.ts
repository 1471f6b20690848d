import { Context } from '@temporalio/activity'
import { ActionFailure } from '../src/domain/failure.ts'
import type { ResourceChange } from '../src/domain/resource-change.ts'
import type { ResourceKey } from '../src/domain/resource-key.ts'
import type { Resource } from '../src/installations/store.ts'
import { declaredProduct } from '../src/products/declared-product.ts'
import { plansOf } from '../src/products/plans-of.ts'
import { productCall } from '../src/products/product-call.ts'
import type { DeclaredProduct } from '../src/products/provision-resource.ts'
import { readSecrets } from '../src/products/read-secrets.ts'
import { VercelApiError } from '../src/vercel/errors.ts'
import {
  replaceResourceSecrets,
  type ResourceUpdate,
  updateResource,
} from '../src/vercel/marketplace-resources.ts'
import { runStep } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'

/** Vercel may not have stored the answer yet that it was told the resource in. */
const UNKNOWN_FOR_GOOD_AFTER_MS = 10 * 60_000

const TITLES = {
  provisioning: 'The resource was not provisioned',
  update: 'The resource was not changed',
  rotation: 'The secrets were not rotated',
} as const

/** What Vercel is to be told of, whose request was answered before it was done. */
export type Announced = 'provisioning' | ResourceChange['kind']

export interface Announcement {
  readonly key: ResourceKey
  readonly what: Announced
  /** Why it failed, for the customer; unset where it did not. */
  readonly problem?: string
}

export function createAnnouncementActivities(dependencies: Dependencies) {
  const { products, installations, vercel, log } = dependencies

  /** What Vercel is to show of a resource that is there, and its projects get. */
  async function shown(resource: Resource, product: DeclaredProduct): Promise<ResourceUpdate> {
    const { id: resourceId, installationId, name, metadata, billingPlanId } = resource
    const plans =
      billingPlanId === undefined
        ? []
        : await plansOf(product, { installationId, resourceId, metadata })
    const billingPlan = plans.find(({ id }) => id === billingPlanId)
    return { status: 'ready', name, metadata, ...(billingPlan && { billingPlan }) }
  }

  return {
    /**
     * Tells Vercel what became of a provisioning or change. The second time it tells the same. The secrets are read
     * here, sent and forgotten.
     */
    async announceResource({ key, what, problem }: Announcement): Promise<void> {
      await runStep(dependencies, key, async (stepCall) => {
        const { installationId, resourceId } = key
        const call = { ...key, signal: stepCall.signal }
        const failed = problem !== undefined && {
          problem: { title: TITLES[what], message: problem },
        }
        if (failed && what === 'provisioning')
          return await told(updateResource(vercel, call, { status: 'error', ...failed }))
        const resource = await installations?.getResource(installationId, resourceId)
        // Of what was removed since, Vercel knows.
        if (!resource) return
        const product = declaredProduct(products, resource.productId)
        if (failed) {
          const update = { ...(await shown(resource, product)), ...failed }
          return await told(updateResource(vercel, call, update))
        }
        const secrets = await readSecrets(product.definition, productCall(resource, stepCall))
        await told(
          what === 'rotation'
            ? replaceResourceSecrets(vercel, call, secrets)
            : updateResource(vercel, call, { ...(await shown(resource, product)), secrets }),
        )
        log.info('resource.announced', { ...key, what })
      })
    },
  }
}

async function told(telling: Promise<void>): Promise<void> {
  try {
    await telling
  } catch (error) {
    const { scheduledTimestampMs } = Context.current().info
    const isEarly = Date.now() - scheduledTimestampMs < UNKNOWN_FOR_GOOD_AFTER_MS
    if (!(error instanceof VercelApiError) || error.status !== 404 || !isEarly) throw error
    throw new ActionFailure(
      'resource_unknown_at_vercel',
      'Vercel does not know the resource yet, so it was not told of its end: it is told again.',
      { retryable: true, cause: error },
    )
  }
}
