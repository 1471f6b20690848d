import { ActionFailure } from '../src/domain/failure.ts'
import type { ResourceChange } from '../src/domain/resource-change.ts'
import type { ResourceKey } from '../src/domain/resource-key.ts'
import type { InstallationStore, Resource } from '../src/installations/store.ts'
import { declaredProduct } from '../src/products/declared-product.ts'
import { productCall, settingsOf } from '../src/products/product-call.ts'
import type { DeclaredProduct, ProvisionedCall } from '../src/products/provision-resource.ts'
import { readSecrets } from '../src/products/read-secrets.ts'
import { runStep, type StepCall } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'

/** Where a resource stands before it is provisioned: to be made, made already, or not wanted. */
export type ResourceStanding = 'pending' | 'provisioned' | 'unknown'

export interface ResourceStep {
  readonly key: ResourceKey
  /** When the time for it is over, in milliseconds since 1970. */
  readonly deadlineAt: number
}

/** What is remembered of a rotation: whose credentials are not the old ones. */
export interface Rotated {
  readonly reference?: unknown
}

export function createProductActivities(dependencies: Dependencies) {
  const { products, installations, log } = dependencies

  /** Does it with what is known of the resource; answers undefined where it is not the installation's any more. */
  async function withResource<Result>(
    { installationId, resourceId }: ResourceKey,
    work: (known: {
      resource: Resource
      store: ResourceStore
      product: DeclaredProduct
    }) => Promise<Result>,
  ): Promise<Result | undefined> {
    const store = installations ?? noStore()
    const resource = await store.getResource(installationId, resourceId)
    if (!resource) return undefined
    return await work({ resource, store, product: declaredProduct(products, resource.productId) })
  }

  /** Proves what the resource has become, and remembers it, unless this try was given up meanwhile. */
  async function keep(
    resource: Resource,
    { product, store, call }: { product: DeclaredProduct; store: ResourceStore; call: StepCall },
  ): Promise<void> {
    await readSecrets(product.definition, productCall(resource, call))
    await call.confirm()
    await store.putResource(resource)
  }

  return {
    /** Looks where the resource stands before anything is done. */
    async openResource({ key }: { key: ResourceKey }): Promise<ResourceStanding> {
      return await runStep(dependencies, key, async () => {
        const store = installations ?? noStore()
        const resource = await store.getResource(key.installationId, key.resourceId)
        if (!resource) return 'unknown'
        return resource.status === 'pending' ? 'pending' : 'provisioned'
      })
    },

    /** Makes the resource, or finds it made, and tries what its projects will get of it. */
    async provisionResource({ key, deadlineAt }: ResourceStep): Promise<void> {
      await runStep(
        dependencies,
        key,
        async (call) => {
          const found = await withResource(key, async ({ resource, product, store }) => {
            const reference = await product.definition.provision(productCall(resource, call))
            const made = { ...resource, ...remembered(reference), status: 'ready' as const }
            await keep(made, { product, store, call })
            log.info('resource.provisioned', { ...key, product: product.slug })
            return true
          })
          if (!found) throw resourceUnknown(key)
        },
        deadlineAt,
      )
    },

    /** Changes the resource, or finds it changed. Answers what a rotation leaves. */
    async changeResource({
      key,
      change,
      deadlineAt,
    }: ResourceStep & { readonly change: ResourceChange }): Promise<Rotated> {
      return await runStep(
        dependencies,
        key,
        async (call) => {
          const reference = await withResource(key, async ({ resource, product, store }) => {
            const changed =
              change.kind === 'rotation'
                ? await rotate(product, productCall(resource, call), change.rotationId)
                : await update(product, resource, change.changes, call)
            const kept = { ...resource, ...changed }
            await keep(kept, { product, store, call })
            log.info('resource.changed', { ...key, product: product.slug, change: change.kind })
            return remembered(kept.reference)
          })
          if (!reference) throw resourceUnknown(key)
          return reference
        },
        deadlineAt,
      )
    },

    /**
     * Ends the credentials that are older than those of the reference. Does nothing when the resource is gone, and goes
     * on where it has another owner by now.
     */
    async expireSecrets({ key, reference }: { key: ResourceKey } & Rotated): Promise<void> {
      await runStep(dependencies, key, async (call) => {
        const store = installations ?? noStore()
        const resource = await store.findResource(key.resourceId)
        if (!resource) return
        const { definition } = declaredProduct(products, resource.productId)
        await definition.expireSecrets?.({ ...productCall(resource, call), reference })
        log.info('resource.secrets_expired', { ...key })
      })
    },

    /**
     * Takes back all that was made for the resource, and forgets it. The second time, and when it is not the
     * installation's any more, it does nothing.
     */
    async deprovisionResource({ key }: { key: ResourceKey }): Promise<void> {
      await runStep(dependencies, key, async (call) => {
        await withResource(key, async ({ resource, product, store }) => {
          await product.definition.deprovision({
            ...call,
            key,
            product: product.slug,
            ...remembered(resource.reference),
          })
          await store.removeResource(key.installationId, key.resourceId)
          log.info('resource.removed', { ...key, product: product.slug })
        })
      })
    },
  }
}

type ResourceStore = Pick<
  InstallationStore,
  'getResource' | 'findResource' | 'putResource' | 'removeResource'
>

/** What is different after the update. */
async function update(
  { definition }: DeclaredProduct,
  resource: Resource,
  changes: Extract<ResourceChange, { kind: 'update' }>['changes'],
  call: StepCall,
): Promise<Partial<Resource>> {
  if (!definition.update) return changes
  const wanted = productCall({ ...resource, ...changes }, call)
  const reference = await definition.update({ ...wanted, before: settingsOf(resource) })
  return { ...changes, ...remembered(reference) }
}

/** What is different after the rotation. */
async function rotate(
  { slug, definition }: DeclaredProduct,
  call: ProvisionedCall<unknown, unknown>,
  rotationId: string,
): Promise<Rotated> {
  if (!definition.rotate)
    throw new ActionFailure(
      'rotation_unsupported',
      `The product ${slug} cannot rotate secrets, so the ones that are there stay: add rotate to it in temporal.config.ts.`,
      { retryable: false },
    )
  return remembered(await definition.rotate({ ...call, rotationId }))
}

function remembered(reference: unknown): Rotated {
  return reference === undefined ? {} : { reference }
}

function resourceUnknown({ installationId, resourceId }: ResourceKey): ActionFailure {
  return new ActionFailure(
    'resource_unknown',
    `Installation ${installationId} has no resource ${resourceId} any more, so nothing was done for it: provision another one.`,
    { retryable: false },
  )
}

function noStore(): never {
  throw new ActionFailure(
    'no_installation_store',
    'There is no installation store, so nothing is known of resources: set HOLDPOINT_DATABASE_URL for the workers too.',
    { retryable: true },
  )
}
