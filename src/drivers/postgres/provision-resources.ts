import type { DriverCall, ResourceProvisioning } from '../driver.ts'
import { addLogin } from './add-login.ts'
import { createResource } from './create-resource.ts'
import { dropResource } from './drop-resource.ts'
import { endOlderLogins } from './end-older-logins.ts'
import { openResource } from './open-resource.ts'
import { UNLIMITED } from './resource-roles.ts'
import type { ServerAddress } from './server-address.ts'
import { printable } from './sql.ts'

/** Does a piece of work at the driver's server; `doing` is what failed when it did, as the start of a sentence. */
export type RunAtServer = <Result>(
  call: DriverCall,
  doing: string,
  work: (address: ServerAddress, call: DriverCall) => Promise<Result>,
) => Promise<Result>

/**
 * Databases that are made for customers: the resource R is the database R, which belongs to a role R that nobody logs in
 * as, and its credentials of generation n are a role R_n that acts as R.
 */
export function provisionResources(run: RunAtServer): ResourceProvisioning {
  return {
    async createResource({ key, connectionLimit = UNLIMITED }, call) {
      const doing = `the database ${printable(key.resourceId)} was not made`
      return await run(call, doing, (at, bound) =>
        createResource(at, { key, call: bound, connectionLimit }),
      )
    },

    async openResource(request, call) {
      const doing = `the database ${printable(request.key.resourceId)} cannot be opened`
      return await run(call, doing, (at, bound) => openResource(at, { ...request, call: bound }))
    },

    async addLogin({ connectionLimit = UNLIMITED, ...request }, call) {
      const doing = `the database ${printable(request.key.resourceId)} got no new credentials`
      return await run(call, doing, (at, bound) =>
        addLogin(at, { ...request, call: bound, connectionLimit }),
      )
    },

    async endOlderLogins(request, call) {
      const doing = `old credentials of the database ${printable(request.key.resourceId)} are not ended`
      await run(call, doing, (at, bound) => endOlderLogins(at, { ...request, call: bound }))
    },

    async deleteResource(key, call) {
      const doing = `the database ${printable(key.resourceId)} is not deleted`
      await run(call, doing, (at, bound) => dropResource(at, { key, call: bound }))
    },
  }
}
