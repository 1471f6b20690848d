import type { ActionKey } from '../src/domain/action-key.ts'
import type { Evidence } from '../src/domain/reconciliation.ts'
import type { VercelConnection } from '../src/vercel/client.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { VercelApiError } from '../src/vercel/errors.ts'
import { getResourceMetadata } from '../src/vercel/resources.ts'
import type { Pace } from './pace.ts'

const TRIES_AT_THE_RATE_LIMIT = 5
const DEFAULT_REST_MS = 10_000

/**
 * What Vercel says of the owner's deployment; one that is unknown is only said to be when the same token is shown the
 * owner's resource. Of what it asked before, it does not ask again: use one for each survey.
 */
export function evidenceReader(
  vercel: VercelConnection,
  pace: Pace,
): (owner: ActionKey, signal: AbortSignal) => Promise<Evidence> {
  const once = new Map<string, Promise<unknown>>()

  /** Waits for its turn, and longer where Vercel says that the rate limit is reached. */
  async function paced<Answer>(call: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      await pace.next(signal)
      try {
        return await call()
      } catch (error) {
        signal.throwIfAborted()
        const limited = error instanceof VercelApiError && error.status === 429
        if (!limited || tries === TRIES_AT_THE_RATE_LIMIT) throw error
        pace.rest(error.retryAfterMs ?? DEFAULT_REST_MS)
      }
    }
  }

  function remembered<Answer>(what: readonly string[], call: () => Promise<Answer>) {
    const id = JSON.stringify(what)
    const answer = once.get(id) ?? call()
    once.set(id, answer)
    return answer as Promise<Answer>
  }

  async function seesResource(owner: ActionKey, signal: AbortSignal): Promise<boolean> {
    try {
      await paced(() => getResourceMetadata(vercel, { ...owner, signal }), signal)
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof VercelApiError) return false
      throw error
    }
  }

  async function read(owner: ActionKey, signal: AbortSignal): Promise<Evidence> {
    const { installationId, resourceId } = owner
    try {
      const deployment = await paced(() => getDeployment(vercel, { ...owner, signal }), signal)
      const { standing, canceledAtMs, deletedAtMs, origin, environment, gitBranch } = deployment
      const unknown = standing === 'gone' && deletedAtMs === undefined
      return {
        kind: 'answered',
        deployment: {
          standing,
          ...(canceledAtMs && { canceledAtMs }),
          ...(deletedAtMs && { deletedAtMs }),
        },
        // An answer that shows nothing of the origin may hide the environment and the git branch as well.
        ...(origin && { place: { environment, ...(gitBranch && { gitBranch }) } }),
        installationSeen:
          !unknown ||
          (await remembered([installationId, resourceId], () => seesResource(owner, signal))),
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof VercelApiError)) throw error
      return {
        kind: 'unanswered',
        because: `Vercel does not tell about the deployment (${error.status} ${error.code}).`,
      }
    }
  }

  return (owner, signal) => {
    const { installationId, resourceId, deploymentId } = owner
    return remembered([installationId, resourceId, deploymentId], () => read(owner, signal))
  }
}
