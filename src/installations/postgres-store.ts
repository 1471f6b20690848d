import { Secret } from '../domain/secret.ts'
import { type Log, silentLog } from '../log.ts'
import { checkStore } from './check-store.ts'
import { openDatabase } from './database.ts'
import { installationUnknown, resourceForeign } from './describe-store-error.ts'
import { migrate } from './migrate.ts'
import { answerPlace, reseal, tokenPlace } from './reseal.ts'
import {
  type ClaimRow,
  type InstallationRow,
  type ResourceRow,
  toInstallation,
  toResource,
  toTransferRequest,
  type TransferRequestRow,
} from './rows.ts'
import { createSeal, type SealingKey } from './seal.ts'
import * as sql from './statements.ts'
import type { InstallationStore, Resource, StoredAnswer } from './store.ts'

export interface PostgresStoreSettings {
  /**
   * `postgres://…` of the database that holds the store, in a schema `holdpoint` of its own. A direct connection, no
   * transaction pooler. Not a database that is a resource: a branch would be a copy of it.
   */
  readonly url: string
  /** Seal tokens and answers: the first what is stored from now on, all open. At least one. */
  readonly keys: readonly SealingKey[]
  readonly log?: Log
  /** How long answers are kept, in milliseconds. Default 24 hours. */
  readonly answersForMs?: number
  /** How often what expired is deleted, in milliseconds. Default an hour. */
  readonly sweepEveryMs?: number
}

const HOUR_MS = 3_600_000

/**
 * The installation store in Postgres. Connects when it is first used. Throws an `ActionFailure` when the URL cannot be
 * read or there is no key.
 */
export function postgresStore(settings: PostgresStoreSettings): InstallationStore {
  const { log = silentLog, answersForMs = 24 * HOUR_MS, sweepEveryMs = HOUR_MS } = settings
  const seal = createSeal(settings.keys)
  const database = openDatabase(settings.url)
  const { run } = database
  let sweeping: NodeJS.Timeout | undefined

  const sweep = () => run('what expired is still there', sql.SWEEP)

  return {
    async prepare() {
      const doing = 'the installation store is not ready'
      await database.session(doing, migrate)
      const resealed = await database.transaction(doing, (client) => reseal(client, seal))
      if (resealed > 0) log.info('store.resealed', { values: resealed, keyId: seal.keyId })
      await sweep()
      sweeping ??= setInterval(() => {
        sweep().catch((error: unknown) => log.warn('store.sweep_failed', { error }))
      }, sweepEveryMs).unref()
    },

    async putInstallation(installation, accessToken) {
      const { id } = installation
      await run(`the installation ${id} is not stored`, sql.PUT_INSTALLATION, [
        id,
        installation.teamId,
        json(installation.account),
        json(installation.scopes),
        json(installation.acceptedPolicies),
        installation.billingPlanId,
        installation.state,
        accessToken && seal.seal(accessToken.reveal(), tokenPlace(id)),
      ])
    },

    async getInstallation(id) {
      const doing = `the installation ${id} is not known`
      const { rows } = await run<InstallationRow>(doing, sql.GET_INSTALLATION, [id])
      return rows[0] && toInstallation(rows[0])
    },

    async listInstallations() {
      const doing = 'the installations are not known'
      const { rows } = await run<InstallationRow>(doing, sql.LIST_INSTALLATIONS)
      return rows.map(toInstallation)
    },

    async updateInstallation(id, { teamId, billingPlanId, state }) {
      const doing = `the installation ${id} is not changed`
      const values = [id, teamId, billingPlanId, state]
      return (await run(doing, sql.UPDATE_INSTALLATION, values)).rowCount === 1
    },

    async removeInstallation(id) {
      await run(`the installation ${id} is not forgotten`, sql.REMOVE_INSTALLATION, [id])
    },

    async accessToken(id) {
      const doing = `the access token of ${id} is not known`
      const { rows } = await run<{ access_token: string | null }>(doing, sql.GET_ACCESS_TOKEN, [id])
      const sealed = rows[0]?.access_token
      return sealed ? new Secret(seal.open(sealed, tokenPlace(id))) : undefined
    },

    async replaceAccessToken(id, accessToken) {
      const sealed = seal.seal(accessToken.reveal(), tokenPlace(id))
      const doing = `the access token of ${id} is not replaced`
      return (await run(doing, sql.REPLACE_ACCESS_TOKEN, [id, sealed])).rowCount === 1
    },

    async addResource(resource) {
      const doing = `the resource ${resource.id} is not stored`
      return (await run(doing, sql.ADD_RESOURCE, resourceValues(resource))).rowCount === 1
    },

    async putResource(resource) {
      const doing = `the resource ${resource.id} is not stored`
      const { rowCount } = await run(doing, sql.PUT_RESOURCE, resourceValues(resource))
      if (rowCount === 0) throw resourceForeign(resource)
    },

    async getResource(installationId, resourceId) {
      const doing = `the resource ${resourceId} is not known`
      const values = [installationId, resourceId]
      const { rows } = await run<ResourceRow>(doing, sql.GET_RESOURCE, values)
      return rows[0] && toResource(rows[0])
    },

    async findResource(resourceId) {
      const doing = `the resource ${resourceId} is not known`
      const { rows } = await run<ResourceRow>(doing, sql.FIND_RESOURCE, [resourceId])
      return rows[0] && toResource(rows[0])
    },

    async listResources(installationId) {
      const doing = `the resources of ${installationId} are not known`
      const { rows } = await run<ResourceRow>(doing, sql.LIST_RESOURCES, [installationId])
      return rows.map(toResource)
    },

    async removeResource(installationId, resourceId) {
      const values = [installationId, resourceId]
      await run(`the resource ${resourceId} is not forgotten`, sql.REMOVE_RESOURCE, values)
    },

    async recallAnswer(request) {
      const { installationId, key, fingerprint } = request
      const { rows } = await run<{ fingerprint: string; answer: string | null }>(
        `nobody knows whether a request of ${installationId} was answered before`,
        sql.RECALL_ANSWER,
        [installationId, key, fingerprint, answersForMs],
      )
      const [known] = rows
      if (known && known.fingerprint !== fingerprint) return { kind: 'other-request' }
      if (!known?.answer) return { kind: 'new' }
      const answer = JSON.parse(seal.open(known.answer, answerPlace(request))) as StoredAnswer
      return { kind: 'answered', answer }
    },

    async rememberAnswer(request, answer) {
      const { installationId, key, fingerprint } = request
      const sealed = seal.seal(JSON.stringify(answer), answerPlace(request))
      await run(`the answer to a request of ${installationId} is not kept`, sql.REMEMBER_ANSWER, [
        installationId,
        key,
        fingerprint,
        sealed,
      ])
    },

    async putTransferRequest({ claimId, fromInstallationId, resourceIds, expiresAtMs }) {
      await run(
        `the transfer of resources of ${fromInstallationId} is not offered`,
        sql.PUT_TRANSFER_REQUEST,
        [claimId, fromInstallationId, resourceIds, expiresAtMs],
      )
    },

    async getTransferRequest(claimId) {
      const doing = `the transfer ${claimId} is not known`
      const { rows } = await run<TransferRequestRow>(doing, sql.GET_TRANSFER_REQUEST, [claimId])
      return rows[0] && toTransferRequest(rows[0])
    },

    async acceptTransferRequest(claimId, toInstallationId, nowMs) {
      const doing = `the transfer ${claimId} is not accepted`
      return await database.transaction(doing, async (client) => {
        const parties = await client.query<{ id: string; state: string }>(sql.LOCK_PARTIES, [
          claimId,
          toInstallationId,
        ])
        const isActive = (id: string) =>
          parties.rows.some((party) => party.id === id && party.state === 'active')
        const { rows } = await client.query<ClaimRow>(sql.LOCK_CLAIM, [claimId])
        const [claim] = rows
        if (claim?.accepted_by === toInstallationId) return true
        if (!claim || claim.accepted_by !== null || Number(claim.expires_at_ms) <= nowMs)
          return false
        if (!isActive(claim.from_installation_id)) return false
        if (!isActive(toInstallationId)) throw installationUnknown(doing)
        await client.query(sql.ACCEPT_CLAIM, [claimId, toInstallationId])
        await client.query(sql.MOVE_RESOURCES, [
          toInstallationId,
          claim.from_installation_id,
          claim.resource_ids,
        ])
        return true
      })
    },

    check: () => checkStore(database, seal),

    async close() {
      clearInterval(sweeping)
      await database.close()
    },
  }
}

function resourceValues(resource: Resource): unknown[] {
  return [
    resource.id,
    resource.installationId,
    resource.productId,
    resource.name,
    json(resource.metadata),
    resource.billingPlanId,
    resource.status,
    json(resource.protocolSettings),
    json(resource.reference),
  ]
}

// For a column of the type json; the driver itself would write an array as one of Postgres.
function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
