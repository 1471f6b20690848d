import { branchHeir } from './branch-heir.ts'
import { dropDatabase } from './drop-database.ts'
import { dropRole, type Place, shutOut } from './drop-role.ts'
import type { ResourceAtWork } from './inspect-resource.ts'
import type { ServerAddress } from './server-address.ts'
import { withLockedResource } from './with-locked-resource.ts'

/**
 * Drops database, logins and owner, whatever is there of them, and cuts their sessions. The owner goes last, as its
 * mark tells whose the rest is. Branches of the resource stay as they are.
 */
export async function dropResource(
  address: ServerAddress,
  { key, call }: ResourceAtWork,
): Promise<void> {
  await withLockedResource(address, { key, call }, async (connection, found) => {
    const name = key.resourceId
    const roles = [...found.logins.map((login) => login.name), ...(found.roleExists ? [name] : [])]
    if (roles.length === 0) return
    await call.confirm()
    call.progress(`dropping the database ${name}`)
    for (const role of roles) await shutOut(connection, role)
    if (found.database !== 'missing') await dropDatabase(connection, name)
    const heirIn = (place: Place) => branchHeir(place, key)
    for (const role of roles) await dropRole(connection, address, { name: role, call, heirIn })
  })
}
