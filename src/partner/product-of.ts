import type { Resource } from '../installations/store.ts'
import type { DeclaredProduct } from '../products/provision-resource.ts'
import { PartnerError } from './partner-error.ts'

/** The product of a resource that is there. Throws a `PartnerError` (409) when it is not declared any more. */
export function productOf(
  products: ReadonlyMap<string, DeclaredProduct>,
  { productId }: Resource,
): DeclaredProduct {
  const product = products.get(productId)
  if (product) return product
  throw new PartnerError(
    409,
    'product_unknown',
    `The product ${productId} of this resource is not declared any more, so nothing was done: declare it in the configuration again.`,
  )
}
