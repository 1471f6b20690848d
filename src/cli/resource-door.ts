import type { WorkflowHandle } from '@temporalio/client'
import type { Config } from '../config/define-config.ts'
import { awaitProgress } from '../dispatch/await-progress.ts'
import { changeResource } from '../dispatch/change-resource.ts'
import type { Dispatch } from '../dispatch/dispatch-event.ts'
import { provisionResource } from '../dispatch/provision-resource.ts'
import { removeResource } from '../dispatch/remove-resource.ts'
import { ActionFailure } from '../domain/failure.ts'
import type { ResourceKey } from '../domain/resource-key.ts'
import type { ResourceProgress } from '../domain/resource-progress.ts'
import type { Secret } from '../domain/secret.ts'
import type { InstallationStore, Resource } from '../installations/store.ts'
import type { Log } from '../log.ts'
import type { ResourceDoor } from '../partner/resource-door.ts'
import { declaredProduct } from '../products/declared-product.ts'
import { productCall } from '../products/product-call.ts'
import { readSecrets } from '../products/read-secrets.ts'

/** How long a request is kept waiting for its work: most is over by then, and Vercel waits no longer. */
const ANSWER_WITHIN_MS = 10_000
const SECRETS_WITHIN_MS = 10_000

export interface ResourceDoorSettings {
  readonly products: Config['products']
  readonly store: InstallationStore
  /** Throws a failure that may be retried while there is no connection to Temporal. */
  readonly dispatch: () => Dispatch
  /** Which Holdpoint this is; see `DriverCall`. */
  readonly holdpoint: string
  readonly deriveSecrets: (purpose: string) => readonly [Secret, ...Secret[]]
  readonly log: Log
  /** In milliseconds. Default 10 seconds. */
  readonly answerWithinMs?: number
}

/** What the routes of resources need, by the workflows of each resource. */
export function resourceDoor({
  products,
  store,
  dispatch,
  holdpoint,
  deriveSecrets,
  log,
  answerWithinMs = ANSWER_WITHIN_MS,
}: ResourceDoorSettings): ResourceDoor {
  /** Has the work done that `begin` begins, if nothing else is being done to the resource. */
  async function work(
    { productId }: Resource,
    begin: (dispatch: Dispatch, deadlineMs: number) => Promise<WorkflowHandle | undefined>,
  ): Promise<ResourceProgress> {
    const reachable = dispatch()
    const run = await begin(reachable, declaredProduct(products, productId).deadlineMs)
    return run ? await awaitProgress(reachable.workflows, run, answerWithinMs) : { kind: 'busy' }
  }

  const known = ({ installationId, resourceId }: ResourceKey) =>
    store.getResource(installationId, resourceId)

  return {
    store,
    products,

    async provision(key) {
      const resource = await known(key)
      if (!resource) return UNKNOWN
      if (resource.status !== 'pending') return { kind: 'done' }
      return await work(resource, (to, deadlineMs) => provisionResource(to, { key, deadlineMs }))
    },

    async change(key, change) {
      const resource = await known(key)
      if (!resource) return UNKNOWN
      if (resource.status === 'pending') return { kind: 'busy' }
      return await work(resource, (to, deadlineMs) =>
        changeResource(to, { key, change, deadlineMs }),
      )
    },

    remove: (key, because) => removeResource(dispatch(), { key, because }),

    async secretsOf(resource) {
      const { id: resourceId, installationId, productId } = resource
      const { definition } = declaredProduct(products, productId)
      const signal = AbortSignal.timeout(SECRETS_WITHIN_MS)
      const call = productCall(resource, {
        holdpoint,
        signal,
        deriveSecrets,
        log,
        // Nothing is made, and nobody watches.
        confirm: () => Promise.resolve(),
        progress: () => {},
      })
      try {
        return await Promise.race([readSecrets(definition, call), untilAborted(signal)])
      } catch (error) {
        if (error instanceof ActionFailure) throw error
        log.error('resource.secrets_unread', { installationId, resourceId, error })
        throw new ActionFailure(
          'secrets_unread',
          'The provider could not tell the secrets of the resource, so its projects get none of them now: its log has the details, and the request may be sent again.',
          { retryable: true, cause: error },
        )
      }
    },
  }
}

const UNKNOWN: ResourceProgress = {
  kind: 'failed',
  message: 'The resource is not there any more, so nothing was done: provision another one.',
}

/** For a product that does not hear the signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('It took too long.')), { once: true }),
  )
}
