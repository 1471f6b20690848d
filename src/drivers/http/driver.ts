import { ActionFailure } from '../../domain/failure.ts'
import type { Finding } from '../../domain/finding.ts'
import { parseJson } from '../../domain/parse-json.ts'
import type { DriverCall, ResourceDriver } from '../driver.ts'
import { callbackSchema } from './answer-schemas.ts'
import { createBells } from './bells.ts'
import { deleteBranch } from './delete-branch.ts'
import { guardedAgent } from './guarded-agent.ts'
import { listBranches, listPage } from './list-branches.ts'
import { makeBranch } from './make-branch.ts'
import { openBranch } from './open-branch.ts'
import { type HttpOptions, readOptions } from './read-options.ts'
import { createTurns } from '../take-turns.ts'
import { type HttpDriverRequest, isSignedBy } from './verify-request.ts'

export interface HttpDriver extends ResourceDriver {
  readonly kind: 'http'
  /**
   * Takes a provider's word that there is news of a branch, and looks at once if somebody here waits for it; the second
   * time it looks once more. `ignored`: it was not signed with this driver's secret.
   */
  receiveCallback(
    request: Pick<HttpDriverRequest, 'headers' | 'body'>,
  ): 'taken' | 'invalid' | 'ignored'
}

const LARGEST_ANSWER_BYTES = 1024 * 1024

/**
 * Branches whatever a provider offers that answers the five requests of docs/http-driver.md: in any language, for any
 * kind of resource. Keeps no connection to a branch itself, so the provider tries the way in before it tells it. Shares
 * no branches between deployments.
 */
export function http(options: HttpOptions): HttpDriver {
  const { baseUrl, secrets, allow, timeoutMs, callbackUrl } = readOptions(options)
  const agent = guardedAgent({
    allow,
    connectTimeoutMs: timeoutMs,
    maxResponseBytes: LARGEST_ANSWER_BYTES,
  })
  const provider = { baseUrl, secrets, timeoutMs, agent }
  const bells = createBells()
  // The provider keeps calls for one name apart. That they wait here spares it those of one process, and a creation that
  // has asked whether it is wanted gets to the provider before a deletion that was begun after that.
  const takeTurns = createTurns()
  const closing = new AbortController()

  const run = async <Result>(
    call: DriverCall,
    work: (call: DriverCall) => Promise<Result>,
  ): Promise<Result> => {
    call.signal.throwIfAborted()
    return await work({
      signal: AbortSignal.any([call.signal, closing.signal]),
      holdpoint: call.holdpoint,
      confirm: () => call.confirm(),
      progress: (text) => call.progress(text),
      deriveSecrets: (purpose) => call.deriveSecrets(purpose),
    })
  }
  const reach = async () => {
    await listPage(provider, { doing: 'no branch can be made', signal: closing.signal })
  }

  return {
    kind: 'http',

    prepare: reach,

    async createBranch({ source, ref }, call) {
      await run(call, (bound) =>
        takeTurns(ref.name, bound.signal, () =>
          makeBranch({ provider, bells, callbackUrl }, { source, ref }, bound),
        ),
      )
    },

    async openBranch(ref, call) {
      return await run(call, (bound) => openBranch(provider, ref, bound))
    },

    async deleteBranch(ref, call) {
      await run(call, (bound) =>
        takeTurns(ref.name, bound.signal, () => deleteBranch(provider, ref, bound)),
      )
    },

    async listBranches(call) {
      return await run(call, ({ signal }) => listBranches(provider, signal))
    },

    async check() {
      try {
        await reach()
        return [{ subject: 'HTTP provider', level: 'ok', message: 'it answers' }]
      } catch (error) {
        return [unreachableFinding(error)]
      }
    },

    receiveCallback({ headers, body }) {
      const path = callbackUrl?.pathname
      if (path === undefined) return 'ignored'
      if (!isSignedBy({ method: 'POST', path, headers, body }, secrets)) return 'ignored'
      const branch = readBranch(body)
      if (branch === undefined) return 'invalid'
      bells.ring(branch)
      return 'taken'
    },

    async close() {
      closing.abort(driverClosed())
      await agent.destroy()
    },
  }
}

function readBranch(body: string | Uint8Array): string | undefined {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  return callbackSchema.safeParse(parseJson(text)).data?.branch
}

function unreachableFinding(error: unknown): Finding {
  return {
    subject: 'HTTP provider',
    level: 'error',
    message: error instanceof Error ? error.message : 'it does not answer',
    fix: 'check url and secret of http(), the provider, and the network between',
  }
}

function driverClosed(): ActionFailure {
  return new ActionFailure(
    'driver_closed',
    'Holdpoint is shutting down, so the HTTP driver takes no more work. Another worker tries again.',
    { retryable: true },
  )
}
