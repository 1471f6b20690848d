import { parseDuration } from '../../domain/duration.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { Finding } from '../../domain/finding.ts'
import type { EmbeddedServers, ResourceDriver } from '../driver.ts'
import { checkServer } from './check-server.ts'
import { STRATEGIES, type Strategy } from './choose-strategy.ts'
import { claimBranch, releaseClaim, restoreBranch } from './claim-branch.ts'
import { withConnection } from './connection.ts'
import { createBranch } from './create-branch.ts'
import { describeError } from './describe-error.ts'
import { dropBranch, dropUnclaimed } from './drop-branch.ts'
import { listBranches } from './list-branches.ts'
import { openBranch } from './open-branch.ts'
import { provisionResources, type RunAtServer } from './provision-resources.ts'
import { parseServerUrl, type ServerAddress } from './server-address.ts'
import { workExclusively } from './work-exclusively.ts'

export interface PostgresOptions {
  /**
   * `postgres://…` of the server whose databases are the resources, as a superuser or as a role with CREATEDB and
   * CREATEROLE that owns them. A direct connection, no transaction pooler; the same database in it for all workers,
   * as locks are kept per database. Unset: the embedded Postgres, for development.
   */
  readonly server?: string | undefined
  /**
   * How long to wait for others to leave a resource before it is copied by pg_dump (or refused, where that is not
   * installed). Below 5 seconds new connections are not held back meanwhile. Default `'10 seconds'`.
   */
  readonly sourceWait?: string | undefined
  /**
   * How a resource is copied that nobody is connected to. `'auto'` takes the fastest that does others on the server no
   * harm: `'wal-log'`, or `'file-copy'` for large ones, or `'clone'` where the server has `file_copy_method = clone`.
   * Say `'clone'` (Postgres 18) where you know that the server's file system can, as XFS and Btrfs; elsewhere it is a
   * slow file copy. New connections to the resource wait for the whole copy; by `'dump'` they never do, but it takes
   * several times as long and needs pg_dump. Default `'auto'`.
   */
  readonly strategy?: Strategy | 'auto' | undefined
}

const CHECK_TIMEOUT_MS = 15_000

/**
 * Branches databases of a Postgres server: the resource R is the database named R, a branch is another database
 * there with a role of its own and of the same name, which owns all that is in it. The owner is kept as a comment
 * on both. A resource may also be made here; see `provisionDatabase`.
 *
 * Like every role, the branch's may connect where everybody may; revoke CONNECT from PUBLIC on resource databases.
 */
export function postgres(options: PostgresOptions = {}): ResourceDriver {
  const copying = {
    sourceWaitMs: waitMs(options.sourceWait ?? '10 seconds'),
    strategy: knownStrategy(options.strategy ?? 'auto'),
  }
  const closing = new AbortController()
  // An empty environment variable is as good as none.
  const server = options.server === '' ? undefined : options.server
  let address: ServerAddress | undefined

  const requireAddress = () => {
    if (closing.signal.aborted) throw driverClosed()
    if (address === undefined && server !== undefined) address = parseServerUrl(server)
    if (address === undefined) throw notPrepared()
    return address
  }
  const run: RunAtServer = async (call, doing, work) => {
    const signal = AbortSignal.any([call.signal, closing.signal])
    try {
      return await work(requireAddress(), {
        signal,
        holdpoint: call.holdpoint,
        confirm: () => call.confirm(),
        progress: (text) => call.progress(text),
        deriveSecrets: (purpose) => call.deriveSecrets(purpose),
      })
    } catch (error) {
      call.signal.throwIfAborted()
      throw describeError(error, doing)
    }
  }

  return {
    kind: 'postgres',

    async prepare(servers: EmbeddedServers) {
      if (server === undefined) address ??= parseServerUrl(await servers.postgres())
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)])
      try {
        await withConnection(requireAddress(), { signal }, (connection) =>
          connection.query('SELECT 1'),
        )
      } catch (error) {
        throw describeError(error, 'no branch can be made')
      }
    },

    async createBranch({ source, ref }, call) {
      await run(call, `the branch ${ref.name} was not made`, (at, bound) =>
        createBranch(at, { source, ref, ...copying }, bound),
      )
    },

    async openBranch(ref, call) {
      return await run(call, `the branch ${ref.name} cannot be opened`, (at, bound) =>
        openBranch(at, ref, bound),
      )
    },

    async deleteBranch(ref, call) {
      await run(call, `the branch ${ref.name} is not deleted`, (at, bound) =>
        dropBranch(at, ref, bound),
      )
    },

    async listBranches(call) {
      return await run(call, 'the branches are not known', (at, { signal }) =>
        withConnection(at, { signal }, listBranches),
      )
    },

    sharing: {
      async claimBranch(request, call) {
        await run(call, `the branch ${request.ref.name} was not made`, (at, bound) =>
          claimBranch(at, { ...request, ...copying }, bound),
        )
      },

      async releaseClaim(request, call) {
        await run(call, `the claim on ${request.ref.name} is not given up`, (at, bound) =>
          releaseClaim(at, request, bound),
        )
      },

      async restoreBranch({ source, ref }, call) {
        await run(call, `the branch ${ref.name} was not made anew`, (at, bound) =>
          restoreBranch(at, { source, ref, ...copying }, bound),
        )
      },

      async deleteUnclaimed(request, call) {
        return await run(call, `the branch ${request.ref.name} is not deleted`, (at, bound) =>
          dropUnclaimed(at, request, bound),
        )
      },

      async exclusively(ref, call, work) {
        const doing = `nobody had the branch ${ref.name} to himself`
        const outcome = await run(call, doing, (at, bound) =>
          workExclusively(at, { ref, call: bound }, work),
        )
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value
      },
    },

    resources: provisionResources(run),

    async check() {
      if (server === undefined && address === undefined) return [embeddedFinding]
      try {
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)])
        const findings = await withConnection(requireAddress(), { signal }, (connection) =>
          checkServer(connection, copying.strategy),
        )
        return [{ subject: 'Postgres server', level: 'ok', message: 'it answers' }, ...findings]
      } catch (error) {
        return [unreachableFinding(error)]
      }
    },

    async close() {
      closing.abort(driverClosed())
    },
  }
}

const embeddedFinding: Finding = {
  subject: 'Postgres server',
  level: 'warning',
  message: 'none is configured: an embedded one is started, which is for development only',
  fix: 'set POSTGRES_URL to the server whose databases are the resources',
}

function unreachableFinding(error: unknown): Finding {
  return {
    subject: 'Postgres server',
    level: 'error',
    message: describeError(error, 'no branch can be made').message,
    fix: 'check POSTGRES_URL, the server, and the network between',
  }
}

function waitMs(text: string): number {
  const durationMs = /^\d/.test(text) ? parseDuration(text) : undefined
  if (durationMs !== undefined && Number.isFinite(durationMs)) return durationMs
  throw new TypeError(
    `postgres({ sourceWait }) is ${JSON.stringify(text)}, which is no duration; write '10 seconds'`,
  )
}

function knownStrategy(strategy: Strategy | 'auto'): Strategy | 'auto' {
  if (['auto', ...STRATEGIES].includes(strategy)) return strategy
  throw new TypeError(
    `postgres({ strategy }) is ${JSON.stringify(strategy)}; write 'auto', or one of '${STRATEGIES.join("', '")}'`,
  )
}

function driverClosed(): ActionFailure {
  return new ActionFailure(
    'driver_closed',
    'Holdpoint is shutting down, so the Postgres driver takes no more work. Another worker tries again.',
    { retryable: true },
  )
}

function notPrepared(): ActionFailure {
  return new ActionFailure(
    'driver_not_prepared',
    'No Postgres server is configured and no embedded one was started, so no branch can be made. Set POSTGRES_URL, or call prepare() first.',
    { retryable: false },
  )
}
