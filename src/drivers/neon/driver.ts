import { parseDuration } from '../../domain/duration.ts'
import { ActionFailure } from '../../domain/failure.ts'
import { Secret } from '../../domain/secret.ts'
import type { DriverCall, ResourceDriver } from '../driver.ts'
import { createTurns } from '../take-turns.ts'
import { checkAccess, unreachable } from './check-access.ts'
import { connectNeon, type Neon } from './client.ts'
import { createBranch } from './create-branch.ts'
import { deleteBranch } from './delete-branch.ts'
import { listBranches } from './list-branches.ts'
import { describeNeonError } from './neon-error.ts'
import { openBranch } from './open-branch.ts'
import { requireOwn } from './require-own.ts'

export interface NeonOptions {
  /** A key of the organization or of a member who may change the projects. Nothing works without one. */
  readonly apiKey: string | undefined
  /** The organization whose projects are listed; needed with a personal key. Default: the one of the key. */
  readonly organization?: string | undefined
  /** The project of a resource, by the id that the resource has at Vercel. Default: that id is the project's. */
  readonly project?: ((resourceId: string) => string) | undefined
  /**
   * The projects whose branches are looked after by the reconciliation. Default: all that the key sees, asked for each
   * time; each costs a request.
   */
  readonly projects?: readonly string[] | undefined
  /** What is copied: the name or the id of a branch. Default: the project's default branch. */
  readonly parent?: string | undefined
  /** Which database a deployment gets. Default: the only one there is; with several it must be said. */
  readonly database?: string | undefined
  /** As whom a deployment logs in. Default: the owner of the database. */
  readonly role?: string | undefined
  /** Whether a branch is also given out through Neon's pooler, as `pooledUrl`. Default `true`. */
  readonly pooled?: boolean | undefined
  /**
   * After which time Neon deletes a branch by itself, even one whose deployment still needs it; counted anew when its
   * creation is repeated. From `'1 minute'` to `'30 days'`. Default: never, branches go with their deployments.
   */
  readonly ttl?: string | undefined
  /** Default `'https://console.neon.tech/api/v2'`. */
  readonly baseUrl?: string | undefined
}

const CHECK_TIMEOUT_MS = 15_000
const LEAST_TTL_MS = 60_000
const MOST_TTL_MS = 30 * 24 * 60 * 60_000

/**
 * Branches Neon projects: a resource is a project, a branch is a Neon branch in it, with a compute of its own. The owner
 * stands in the branch's annotation, which nobody can change later. A branch that somebody renames is theirs from then
 * on: it is neither found, listed nor deleted any more. The roles of a branch are those of its parent, and unless the
 * parent is protected in Neon their passwords are too: protect the branch that production uses.
 *
 * Neon has no locks. One name exists once in a project, and calls of one process for one name wait for each other; but
 * a request that a frozen worker sends after its action was undone makes a branch, which the reconciliation deletes.
 *
 * Shares no branches (`sharing`): an annotation is written when the branch is made and never again, so claims cannot be
 * put on and taken off it, let alone one at a time.
 */
export function neon(options: NeonOptions): ResourceDriver {
  const { project: projectOf = (resourceId: string) => resourceId } = options
  const { organization, projects, parent, database, role, pooled = true } = options
  const ttlMs = options.ttl === undefined ? undefined : knownTtl(options.ttl)
  const baseUrl = options.baseUrl ? knownUrl(options.baseUrl) : undefined
  const takeTurns = createTurns()
  const closing = new AbortController()
  // An empty environment variable is as good as none.
  const apiKey = options.apiKey?.trim()
  const api = apiKey ? connectNeon(new Secret(apiKey), baseUrl) : undefined

  const requireApi = (): Neon => {
    if (closing.signal.aborted) throw driverClosed()
    if (!api) throw keyMissing()
    return api
  }
  const run = async <Result>(
    call: DriverCall,
    doing: string,
    work: (api: Neon, call: DriverCall) => Promise<Result>,
  ) => {
    const signal = AbortSignal.any([call.signal, closing.signal])
    try {
      signal.throwIfAborted()
      return await work(requireApi(), {
        signal,
        holdpoint: call.holdpoint,
        confirm: () => call.confirm(),
        progress: (text) => call.progress(text),
        deriveSecrets: (purpose) => call.deriveSecrets(purpose),
      })
    } catch (error) {
      call.signal.throwIfAborted()
      throw describeNeonError(error, doing)
    }
  }

  return {
    kind: 'neon',

    async createBranch({ source, ref }, call) {
      await run(call, `the branch ${ref.name} was not made`, async (api, bound) => {
        requireOwn(ref)
        const request = { source, ref, project: projectOf(source), parent, ttlMs }
        await takeTurns(ref.name, bound.signal, () => createBranch(api, request, bound))
      })
    },

    async openBranch(ref, call) {
      return await run(call, `the branch ${ref.name} cannot be opened`, (api, bound) => {
        const project = projectOf(ref.owner.resourceId)
        return openBranch(api, { project, ref, database, role, pooled }, bound)
      })
    },

    async deleteBranch(ref, call) {
      await run(call, `the branch ${ref.name} is not deleted`, async (api, { signal }) => {
        requireOwn(ref)
        const project = projectOf(ref.owner.resourceId)
        await takeTurns(ref.name, signal, () => deleteBranch(api, { project, ref }, signal))
      })
    },

    async listBranches(call) {
      return await run(call, 'the branches are not known', (api, { signal }) =>
        listBranches(api, { projects, organization }, signal),
      )
    },

    async check() {
      try {
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)])
        return await checkAccess(requireApi(), { projects, organization }, signal)
      } catch (error) {
        return [unreachable('Neon API', error)]
      }
    },

    async close() {
      closing.abort(driverClosed())
    },
  }
}

function knownTtl(text: string): number {
  const ttlMs = /^\d/.test(text) ? parseDuration(text) : undefined
  if (ttlMs !== undefined && ttlMs >= LEAST_TTL_MS && ttlMs <= MOST_TTL_MS) return ttlMs
  throw new TypeError(
    `neon({ ttl }) is ${JSON.stringify(text)}; Neon keeps a branch for '1 minute' to '30 days', or without a ttl until it is deleted`,
  )
}

function knownUrl(text: string): string {
  if (/^https?:\/\/[^\s@?#]+$/.test(text) && URL.canParse(text)) return text
  throw new TypeError(
    `neon({ baseUrl }) is no address of an API; write 'https://console.neon.tech/api/v2', or leave it out`,
  )
}

function keyMissing(): ActionFailure {
  return new ActionFailure(
    'neon_key_missing',
    'No Neon API key is configured, so nothing can be asked of Neon. Create one in the Neon console and give it to neon({ apiKey }), from an environment variable say.',
    { retryable: false },
  )
}

function driverClosed(): ActionFailure {
  return new ActionFailure(
    'driver_closed',
    'Holdpoint is shutting down, so the Neon driver takes no more work. Another worker tries again.',
    { retryable: true },
  )
}
