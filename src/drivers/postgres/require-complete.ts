import { ActionFailure } from '../../domain/failure.ts'
import type { ResourceKey } from '../../domain/resource-key.ts'
import type { FoundResource } from './inspect-resource.ts'
import { printable } from './sql.ts'

/** Refuses for good (`resource_missing`) what is not there, and for now (`resource_incomplete`) what is half made. */
export function requireComplete({ resourceId }: ResourceKey, found: FoundResource): void {
  if (found.database === 'missing')
    throw new ActionFailure(
      'resource_missing',
      `There is no database ${printable(resourceId)} at the Postgres server, so nobody can be let into it: it was never made, or it is deleted already. Delete the resource, and create a new one.`,
      { retryable: false },
    )
  const newest = found.logins.at(-1)
  if (found.database === 'stands' && newest?.canLogIn === true) return
  throw new ActionFailure(
    'resource_incomplete',
    `The database ${printable(resourceId)} is not complete, so nobody is let into it. It is tried again, as its creation may still be at work; else delete the resource, and create a new one.`,
    { retryable: true },
  )
}
