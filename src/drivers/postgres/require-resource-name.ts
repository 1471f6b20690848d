import { ActionFailure } from '../../domain/failure.ts'
import type { ResourceKey } from '../../domain/resource-key.ts'
import { LONGEST_LOGIN_SUFFIX } from './login-name.ts'
import { isPossibleName, LONGEST_NAME_BYTES, printable } from './sql.ts'

const LONGEST = LONGEST_NAME_BYTES - LONGEST_LOGIN_SUFFIX

/** Refuses for good (`resource_name_invalid`) an id that Postgres can give to no database, or to no login of it. */
export function requireResourceName({ resourceId }: ResourceKey): void {
  if (isPossibleName(resourceId) && Buffer.byteLength(resourceId) <= LONGEST) return
  throw new ActionFailure(
    'resource_name_invalid',
    `No database can be made with the name ${printable(resourceId)}: it and its logins need a name of 1 to ${LONGEST} bytes, and a longer one would silently be cut off and meet another. Give the resource a shorter id.`,
    { retryable: false },
  )
}
