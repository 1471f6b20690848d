import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/define-config.ts'
import type { Environment } from '../config/environment.ts'
import type { Dispatch } from '../dispatch/dispatch-event.ts'
import { removeInstallation } from '../dispatch/remove-installation.ts'
import { ActionFailure } from '../domain/failure.ts'
import type { Secret } from '../domain/secret.ts'
import type { InstallationStore } from '../installations/store.ts'
import type { Log } from '../log.ts'
import { partnerApp } from '../partner/partner-app.ts'
import { oidcVerifier } from '../partner/verify-oidc.ts'
import { resourceDoor } from './resource-door.ts'

/** How long an uninstallation waits for the removal: most are over by then, and Vercel waits no longer. */
const REMOVED_WITHIN_MS = 15_000

/** The partner API; undefined without a store to keep installations in, or an id that tokens are made out to. */
export function partnerDoor({
  environment,
  config,
  store,
  dispatch,
  holdpoint,
  deriveSecrets,
  log,
}: {
  readonly environment: Pick<Environment, 'clientId' | 'marketplaceUrl'>
  readonly config: Config
  readonly store: InstallationStore | undefined
  /** Undefined while there is no connection to Temporal. */
  readonly dispatch: () => Dispatch | undefined
  /** Which Holdpoint this is; see `DriverCall`. */
  readonly holdpoint: string
  readonly deriveSecrets: (purpose: string) => readonly [Secret, ...Secret[]]
  readonly log: Log
}): ReturnType<typeof partnerApp> | undefined {
  const { clientId, marketplaceUrl } = environment
  if (!store || clientId === undefined) return undefined
  const { products } = config
  const connected = (): Dispatch => {
    const connection = dispatch()
    if (connection) return connection
    throw new ActionFailure(
      'temporal_unreachable',
      'There is no connection to Temporal yet, so nothing was begun: send the request again.',
      { retryable: true },
    )
  }
  return partnerApp({
    store,
    ...(products.size > 0 && {
      resources: resourceDoor({
        products,
        store,
        dispatch: connected,
        holdpoint,
        deriveSecrets,
        log,
      }),
    }),
    log,
    verify: oidcVerifier({ issuer: marketplaceUrl, audience: clientId }),
    ready: () => dispatch() !== undefined,
    refuseRemoval: async (request) => await config.partner.refuseRemoval?.(request),
    async remove(installationId, because) {
      const removal = await removeInstallation(connected(), { installationId, because })
      const over = new AbortController()
      const finished = await Promise.race([
        removal.result().then(
          () => true,
          // It goes on, whatever became of the waiting.
          () => false,
        ),
        delay(REMOVED_WITHIN_MS, false, { signal: over.signal }),
      ])
      over.abort()
      return { finished }
    },
  })
}
