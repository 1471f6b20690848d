import type { DeclaredAction } from '../src/actions/define-action.ts'
import type { DeclaredCheck } from '../src/checks/define-check.ts'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { ActionEnd } from '../src/domain/action-run.ts'
import type { LatestRun } from '../src/domain/reconciliation.ts'
import type { RemovalScope } from '../src/domain/removal-scope.ts'
import type { ResourceKey } from '../src/domain/resource-key.ts'
import type { Secret } from '../src/domain/secret.ts'
import type { InstallationStore } from '../src/installations/store.ts'
import type { Log } from '../src/log.ts'
import type { DeclaredProduct } from '../src/products/provision-resource.ts'
import type { VercelConnection } from '../src/vercel/client.ts'
import type { HeadStarts } from './head-start.ts'

/** What the activities need of the process they run in. */
export interface Dependencies {
  readonly actions: ReadonlyMap<string, DeclaredAction>
  readonly checks: ReadonlyMap<string, DeclaredCheck>
  readonly products: ReadonlyMap<string, DeclaredProduct>
  readonly vercel: VercelConnection
  /** Which Holdpoint this is; see `DriverCall`. */
  readonly holdpoint: string
  readonly deriveSecrets: (purpose: string) => readonly [Secret, ...Secret[]]
  readonly log: Log
  /** Throws an `ActionFailure` unless the attempt with this task token is still the one that Temporal waits for. */
  readonly confirmAttempt: (taskToken: Uint8Array) => Promise<void>
  /** Asks Temporal to cancel a run; succeeds when the run is closed already. */
  readonly cancelRun: (run: { workflowId: string; runId: string }) => Promise<void>
  readonly runs: ActionRuns
  /** Unset where nothing is kept of installations. */
  readonly installations?: Pick<
    InstallationStore,
    | 'updateInstallation'
    | 'removeInstallation'
    | 'listResources'
    | 'getResource'
    | 'findResource'
    | 'putResource'
    | 'removeResource'
  >
  /** Unset where webhooks come in at another process. */
  readonly headStarts?: Omit<HeadStarts, 'begin'>
}

/** The runs of an action key, as a check sees them, and reconciliation sees and changes them. */
export interface ActionRuns {
  latest(key: ActionKey): Promise<LatestRun>
  /** How its latest run ended; `open` while it is at work, `none` when Temporal knows of no run. */
  end(key: ActionKey): Promise<ActionEnd | 'open' | 'none'>
  /** Does what a cleanup webhook does. */
  withdraw(key: ActionKey, because: string): Promise<void>
  /** Does what a cleanup webhook does for each open run within the scope, and answers how many there were. */
  withdrawOpen(scope: RemovalScope): Promise<number>
  /** Does what is done when a customer removes a resource. */
  removeBareResource(key: ResourceKey, because: string): Promise<void>
  /** Starts the action again, unless its key has a run that is open or ended well. */
  resume(key: ActionKey, how: { brokenOff: boolean; because: string }): Promise<void>
}
