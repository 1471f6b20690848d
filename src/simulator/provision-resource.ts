import { randomUUID } from 'node:crypto'
import { callPartner } from './call-partner.ts'
import { changeResource } from './change-resource.ts'
import { PartnerFault } from './judge-answer.ts'
import type { Installation } from './project.ts'
import { findResource, type Resource } from './resource.ts'
import { provisionAnswer } from './resource-answer.ts'
import {
  announceResource,
  resourcePath,
  type ResourceSurroundings,
} from './resource-surroundings.ts'

/** What a customer filled in. */
export interface ProvisionRequest {
  /** The slug of the product; the first unless said. */
  readonly product?: string
  readonly name: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly billingPlanId?: string
  readonly externalId?: string
  readonly protocolSettings?: Readonly<Record<string, unknown>>
  /** That of an earlier request repeats it, as Vercel may when no answer came. Drawn at random unless said. */
  readonly idempotencyKey?: string
}

/** Has the provider make a resource, and keeps what it answers. The same key a second time is the same resource. */
export async function provisionResource(
  installation: Installation,
  request: ProvisionRequest,
  surroundings: ResourceSurroundings,
): Promise<Resource> {
  const { product = surroundings.products[0], idempotencyKey = randomUUID(), ...body } = request
  const { products, resources } = surroundings
  if (product === undefined || !products.includes(product))
    throw new Error(`There is no product ${product}; there are: ${products.join(', ') || 'none'}`)
  const path = resourcePath(installation)
  const answer = await callPartner(surroundings, installation, {
    method: 'POST',
    path,
    kind: 'user',
    body: { productId: product, metadata: {}, ...body },
    idempotencyKey,
    answers: { 200: provisionAnswer(product, body.billingPlanId) },
    once: { field: 'id', of: ({ id }) => id },
  })
  const known = findResource(resources, installation, answer.id)
  if (known && known.idempotencyKey !== idempotencyKey)
    throw new PartnerFault(`POST ${path}: id: the resource ${answer.id} is there already`)
  const earlier = resources.find((each) => each.idempotencyKey === idempotencyKey)
  if (!known && earlier)
    throw new PartnerFault(
      `POST ${path}: id: the same Idempotency-Key has made the resource ${earlier.id} already`,
    )
  if (known) {
    changeResource(known, answer, surroundings)
    return known
  }
  const { billingPlan, notification, protocolSettings, ...fields } = answer
  const resource: Resource = {
    ...fields,
    ...(billingPlan && { billingPlan }),
    ...(notification && { notification }),
    ...(protocolSettings && { protocolSettings }),
    installation,
    idempotencyKey,
    rotating: false,
    version: 0,
  }
  resources.push(resource)
  announceResource(resource, 'provisioned', surroundings)
  return resource
}
