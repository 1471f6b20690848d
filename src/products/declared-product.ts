import { ActionFailure } from '../domain/failure.ts'
import type { DeclaredProduct } from './provision-resource.ts'

/** The product with this slug. Throws a final `ActionFailure` when the configuration has none, or no longer. */
export function declaredProduct(
  products: ReadonlyMap<string, DeclaredProduct>,
  slug: string,
): DeclaredProduct {
  const declared = products.get(slug)
  if (declared) return declared
  const known = [...products.keys()].join(', ') || 'none'
  throw new ActionFailure(
    'product_not_declared',
    `The provider has no product ${JSON.stringify(slug.slice(0, 63))} (it has ${known}), so nothing can be done about its resources: declare it in temporal.config.ts, as long as there are some.`,
    { retryable: false },
  )
}
