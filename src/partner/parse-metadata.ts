import type { DeclaredProduct } from '../products/provision-resource.ts'
import { invalidRequest, wrongFields } from './refuse-invalid.ts'

/**
 * The metadata as the product's own schema makes it. Throws a `PartnerError` (400) that names the fields which are
 * missing or wrong.
 */
export async function parseMetadata(
  { definition }: DeclaredProduct,
  metadata: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  if (!definition.metadata) return metadata
  const parsed = await definition.metadata.safeParseAsync(metadata)
  if (!parsed.success) throw invalidRequest(wrongFields(parsed.error.issues, ['metadata']))
  return parsed.data as Readonly<Record<string, unknown>>
}
