import { askPlans, askProductPlans } from './ask-plans.ts'
import { deleteResource } from './delete-resource.ts'
import type { Installation } from './project.ts'
import { type ProvisionRequest, provisionResource } from './provision-resource.ts'
import {
  findResource,
  type Resource,
  type ResourceRef,
  type ResourceSnapshot,
  snapshotResource,
} from './resource.ts'
import type { BillingPlan } from './resource-schema.ts'
import { resourcePath, type ResourceSurroundings } from './resource-surroundings.ts'
import { type RotationRequest, rotateSecrets } from './rotate-secrets.ts'
import { transferResources } from './transfer-resources.ts'
import { readResource, type ResourceUpdate, updateResource } from './update-resource.ts'
import { type WaitOptions, waitForResource, type Watched } from './wait-until.ts'

/**
 * What customers do with resources. What asks the provider rejects with a `PartnerRefusal` when it refuses, and with a
 * `PartnerFault` when it answers otherwise than documented.
 */
export interface ResourceMoves {
  /** The slugs of what can be provisioned. */
  readonly products: readonly string[]
  /** All that was provisioned and is there. */
  readonly resources: () => ResourceSnapshot[]
  /** The resource as it is now. Throws when there is none. */
  readonly resource: (ref: ResourceRef) => ResourceSnapshot
  /** The plans of a product, for what a customer has filled in so far. */
  readonly plans: (
    installation: Installation,
    product: string,
    metadata?: Readonly<Record<string, unknown>>,
  ) => Promise<readonly BillingPlan[]>
  readonly installationPlans: (installation: Installation) => Promise<readonly BillingPlan[]>
  readonly resourcePlans: (ref: ResourceRef) => Promise<readonly BillingPlan[]>
  /**
   * Has the provider make a resource. It may still be `pending` then: the provider says when it is ready. With an
   * `idempotencyKey` of before it is the same resource.
   */
  readonly provision: (
    installation: Installation,
    request: ProvisionRequest,
  ) => Promise<ResourceSnapshot>
  readonly updateResource: (ref: ResourceRef, update: ResourceUpdate) => Promise<ResourceSnapshot>
  /** Asks the provider for its state of a resource, and takes it. */
  readonly readResource: (ref: ResourceRef) => Promise<ResourceSnapshot>
  /** Has the provider take a resource back; its projects are no longer connected then. */
  readonly deleteResource: (ref: ResourceRef) => Promise<void>
  /** Asks for new secrets. Until the provider has given them the resource is `rotating`. */
  readonly rotateSecrets: (ref: ResourceRef, request?: RotationRequest) => Promise<ResourceSnapshot>
  /**
   * Moves resources to another installation, in the form of the dial `transferForm`. A project all of whose resources
   * move goes with them; any other loses the connection. Answers with the resources as they are then.
   */
  readonly transferResources: (
    from: Installation,
    to: Installation,
    resourceIds: readonly string[],
  ) => Promise<ResourceSnapshot[]>
  /** Resolves with the resource once the predicate holds; rejects after the timeout, and when the resource is gone. */
  readonly untilResource: (
    ref: ResourceRef,
    predicate: (resource: ResourceSnapshot) => boolean,
    options?: WaitOptions,
  ) => Promise<ResourceSnapshot>
}

export function resourceMoves(
  surroundings: ResourceSurroundings,
  installations: readonly Installation[],
  watched: Watched,
): ResourceMoves {
  const { resources, products } = surroundings

  function resourceOf({ installationId, id }: ResourceRef): Resource {
    const installation = installations.find((each) => each.id === installationId)
    const resource = installation && findResource(resources, installation, id)
    if (resource) return resource
    throw new Error(`The installation ${installationId} has no resource ${id}`)
  }

  async function after(ref: ResourceRef, move: (resource: Resource) => Promise<void>) {
    const resource = resourceOf(ref)
    await move(resource)
    return snapshotResource(resource)
  }

  return {
    products,
    resources: () => resources.map(snapshotResource),
    resource: (ref) => snapshotResource(resourceOf(ref)),
    plans: (installation, product, metadata = {}) =>
      askProductPlans(installation, { product, metadata }, surroundings),
    installationPlans: (installation) =>
      askPlans(installation, `/v1/installations/${installation.id}/plans`, surroundings),
    async resourcePlans(ref) {
      const { installation, id } = resourceOf(ref)
      return await askPlans(installation, `${resourcePath(installation, id)}/plans`, surroundings)
    },
    provision: async (installation, request) =>
      snapshotResource(await provisionResource(installation, request, surroundings)),
    updateResource: (ref, update) =>
      after(ref, (resource) => updateResource(resource, update, surroundings)),
    readResource: (ref) => after(ref, (resource) => readResource(resource, surroundings)),
    async deleteResource(ref) {
      await deleteResource(resourceOf(ref), surroundings)
    },
    rotateSecrets: (ref, request = {}) =>
      after(ref, (resource) => rotateSecrets(resource, request, surroundings)),
    async transferResources(from, to, resourceIds) {
      const moved = resourceIds.map((id) => resourceOf({ installationId: from.id, id }))
      await transferResources({ from, to }, moved, surroundings)
      return moved.map(snapshotResource)
    },
    untilResource: (ref, predicate, options) =>
      waitForResource(
        watched,
        { id: ref.id, read: () => snapshotResource(resourceOf(ref)), predicate },
        options,
      ),
  }
}
