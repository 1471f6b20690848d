import type { Connection } from './connection.ts'
import { type FoundResource, inspectResource, type ResourceAtWork } from './inspect-resource.ts'
import { requireResourceName } from './require-resource-name.ts'
import type { ServerAddress } from './server-address.ts'
import { withLock } from './with-lock.ts'

/** Waits until no other session works on the resource, looks what there is of it, and does `work` while others wait. */
export async function withLockedResource<Result>(
  address: ServerAddress,
  { key, call }: ResourceAtWork,
  work: (connection: Connection, found: FoundResource) => Promise<Result>,
): Promise<Result> {
  requireResourceName(key)
  return await withLock(address, { name: key.resourceId, call }, async (connection) =>
    work(connection, await inspectResource(connection, { key, call })),
  )
}
