import type { ResourceAtWork } from './inspect-resource.ts'
import { requireComplete } from './require-complete.ts'
import { createLogin, newMark } from './resource-roles.ts'
import type { ServerAddress } from './server-address.ts'
import { withLockedResource } from './with-locked-resource.ts'

interface Addition extends ResourceAtWork {
  readonly generation: number
  readonly rotationId: string
  readonly connectionLimit: number
}

/**
 * Makes the login of the next generation, or finds the one that was made for this rotation, and answers its generation.
 * No number is given a second time while a newer login stands, so an old password never opens a new login.
 */
export async function addLogin(
  address: ServerAddress,
  { key, call, generation, rotationId, connectionLimit }: Addition,
): Promise<{ generation: number }> {
  return await withLockedResource(address, { key, call }, async (connection, found) => {
    const made = found.logins.find((login) => login.rotationId === rotationId)
    if (made) return { generation: made.generation }
    requireComplete(key, found)
    await call.confirm()
    const next = Math.max(generation, ...found.logins.map((login) => login.generation)) + 1
    const mark = { ...newMark({ key, call }, found.now), rotationId }
    await createLogin(connection, { key, call, generation: next, mark, connectionLimit })
    return { generation: next }
  })
}
