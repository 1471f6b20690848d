import type { z } from 'zod'
import { ActionFailure } from '../domain/failure.ts'
import type { Secret } from '../domain/secret.ts'
import type { ResourceConnection, ResourceDriver } from '../drivers/driver.ts'
import type { BillingPlan } from './billing-plan.ts'
import {
  type PlanRequest,
  type ProductDefinition,
  provisionResource,
  type ResourceSettings,
} from './provision-resource.ts'

export interface ProvisionDatabaseSettings<Metadata> {
  readonly name: string
  readonly metadata?: z.ZodType<Metadata>
  readonly plans?:
    readonly BillingPlan[] | ((request: PlanRequest) => Promise<readonly BillingPlan[]>)
  readonly deadline?: string
  readonly keepOldSecrets?: string
  /** One that makes resources: `postgres({ server: … })`. */
  readonly driver: ResourceDriver
  /** The variables that the projects of the database get. Default: `DATABASE_URL`. */
  readonly secrets?: (connection: ResourceConnection) => Record<string, Secret | string>
  /**
   * How many connections there may be at a time, during a rotation by old and new credentials each. A function gives each
   * database its own, by its plan say, and is asked again when that changes. Default: no limit but the server's.
   */
  readonly connectionLimit?: number | ((database: ResourceSettings<Metadata>) => number)
}

/** Which credentials are in force; its database is named by the resource's id. */
export interface DatabaseReference {
  readonly generation: number
}

/**
 * Sells databases: each resource is one, with credentials of its own, which `branchDatabase` with the same driver can
 * branch. Throws a `TypeError` when the driver cannot make resources.
 */
export function provisionDatabase<Metadata = Record<string, unknown>>(
  settings: ProvisionDatabaseSettings<Metadata>,
): ProductDefinition<Metadata, DatabaseReference> {
  const {
    driver,
    secrets = (connection) => ({ DATABASE_URL: connection.url }),
    connectionLimit,
    ...declaration
  } = settings
  const { resources } = driver
  if (!resources) throw cannotProvision(driver)
  if (typeof connectionLimit === 'number' && !isLimit(connectionLimit))
    throw new TypeError(limitRefused(connectionLimit))

  const limitFor = (database: ResourceSettings<Metadata>): { connectionLimit?: number } => {
    if (connectionLimit === undefined) return {}
    if (typeof connectionLimit === 'number') return { connectionLimit }
    const limit = connectionLimit(database)
    if (isLimit(limit)) return { connectionLimit: limit }
    const options = { retryable: false }
    throw new ActionFailure('connection_limit_invalid', limitRefused(limit), options)
  }

  return provisionResource<Metadata, DatabaseReference>({
    ...declaration,
    driver,
    async provision(call) {
      return await resources.createResource({ key: call.key, ...limitFor(call) }, call)
    },
    async secrets(call) {
      const { generation } = call.reference
      return secrets(await resources.openResource({ key: call.key, generation }, call))
    },
    ...(typeof connectionLimit === 'function' && {
      async update(call) {
        await resources.createResource({ key: call.key, ...limitFor(call) }, call)
        return call.reference
      },
    }),
    async rotate({ rotationId, ...call }) {
      const { generation } = call.reference
      const request = { key: call.key, generation, rotationId, ...limitFor(call) }
      return await resources.addLogin(request, call)
    },
    async expireSecrets(call) {
      const { generation } = call.reference
      await resources.endOlderLogins({ key: call.key, generation }, call)
    },
    async deprovision(call) {
      await resources.deleteResource(call.key, call)
    },
  })
}

function isLimit(limit: number): boolean {
  return Number.isInteger(limit) && limit >= 1 && limit <= MOST_CONNECTIONS
}

/** A Postgres server has no more. */
const MOST_CONNECTIONS = 262_143

function limitRefused(limit: number): string {
  return `provisionDatabase({ connectionLimit }) is ${limit}, and no database can be made with that; give a whole number from 1 to ${MOST_CONNECTIONS}, or leave it out for no limit`
}

function cannotProvision(driver: ResourceDriver): TypeError {
  return new TypeError(
    `provisionDatabase({ driver }) is not possible with the driver ${driver.kind}, which finds resources and makes none; use postgres(), or write the product with provisionResource()`,
  )
}
