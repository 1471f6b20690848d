import type { z } from 'zod'
import { branchRef } from '../domain/branch-ref.ts'
import type { Secret } from '../domain/secret.ts'
import type { BranchConnection, ResourceDriver } from '../drivers/driver.ts'
import { type ActionDefinition, defineAction, type Environment } from './define-action.ts'

export interface BranchDatabaseSettings<Options> {
  readonly name: string
  readonly description?: string
  readonly options?: z.ZodType<Options>
  readonly suggest?: readonly Environment[]
  readonly deadline?: string
  readonly driver: ResourceDriver
  /** The environment variables of the deployment. Default: `DATABASE_URL`. */
  readonly secrets?: (branch: BranchConnection) => Record<string, Secret | string>
}

/**
 * Gives each deployment a branch of its own: a copy of the resource, with its own role and password, that lives
 * until the deployment is canceled or removed.
 */
export function branchDatabase<Options = Record<never, never>>(
  settings: BranchDatabaseSettings<Options>,
): ActionDefinition<Options, { branch: string }> {
  const { driver, secrets = (branch) => ({ DATABASE_URL: branch.url }), ...declaration } = settings
  return defineAction<Options, { branch: string }>({
    ...declaration,
    driver,
    async provision(call) {
      const ref = branchRef(call.key)
      await driver.createBranch({ source: call.key.resourceId, ref }, call)
      return { branch: ref.name }
    },
    async outcome(call) {
      return secrets(await driver.openBranch(branchRef(call.key), call))
    },
    async deprovision(call) {
      await driver.deleteBranch(branchRef(call.key), call)
    },
    async list(call) {
      const branches = await driver.listBranches(call)
      return branches.map(({ ref, createdAt, complete }) => ({
        ...ref,
        ...(createdAt && { createdAtMs: createdAt.getTime() }),
        complete,
      }))
    },
  })
}
