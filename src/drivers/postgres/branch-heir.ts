import type { ResourceKey } from '../../domain/resource-key.ts'
import { readMark } from './branch-mark.ts'
import type { Place } from './drop-role.ts'

/**
 * The role of the branch that the place is, where it is one of this resource. What the copy brought along of the
 * resource's roles, an extension say, is the branch's own and stays when they go.
 */
export function branchHeir(
  { database, owner, ownerComment }: Place,
  { resourceId }: ResourceKey,
): string | undefined {
  return owner === database && readMark(ownerComment)?.source === resourceId ? owner : undefined
}
