import { branchHeir } from './branch-heir.ts'
import { dropRole, type Place, shutOut } from './drop-role.ts'
import type { ResourceAtWork } from './inspect-resource.ts'
import type { ServerAddress } from './server-address.ts'
import { withLockedResource } from './with-locked-resource.ts'

/**
 * Ends the logins of older generations with their sessions. They own nothing, as their sessions act as the resource's
 * owner; what one of them made all the same, by acting as itself, goes to that owner.
 */
export async function endOlderLogins(
  address: ServerAddress,
  { key, call, generation }: ResourceAtWork & { generation: number },
): Promise<void> {
  await withLockedResource(address, { key, call }, async (connection, found) => {
    const older = found.logins.filter((login) => login.generation < generation)
    for (const { name } of older) await shutOut(connection, name)
    for (const { name } of older) {
      const heirIn = (place: Place) => branchHeir(place, key) ?? key.resourceId
      await dropRole(connection, address, { name, call, heirIn })
    }
  })
}
