import type { z } from 'zod'
import type { ActionKey } from '../domain/action-key.ts'
import type { Deployment } from '../domain/deployment.ts'
import type { Policy } from '../domain/policy.ts'
import type { Secret } from '../domain/secret.ts'
import type { DriverCall, ResourceDriver } from '../drivers/driver.ts'
import type { Log } from '../log.ts'
import type { ActionPolicy } from './action-policy.ts'

/**
 * What an action is. Each function runs as a Temporal activity: it may be cut off anywhere and be called again, by
 * another process too, so each must be idempotent for the same key. `call.signal` aborts on cancel, deadline and
 * shutdown; honour it. Throw `ActionFailure` to say whether a retry makes sense and what people should read; any
 * other error is retried until the deadline and shown as an internal one.
 */
export interface ActionDefinition<Options = unknown, Reference = unknown> {
  /** As people read it in Vercel's dashboard. */
  readonly name: string
  readonly description?: string | undefined
  /**
   * The options a customer may set, as a zod object with a default for each. Values come with the start event where
   * Vercel sends them, else from the resource's metadata.
   */
  readonly options?: z.ZodType<Options> | undefined
  /** Environments for which Vercel should preselect the action. Only a suggestion: the customer decides. */
  readonly suggest?: readonly Environment[] | undefined
  /**
   * How long the whole action may take before it is undone and reported failed, such as `'90 seconds'`. Keep it
   * shorter than Vercel's own limit, which is not published; its command line waits 3 minutes. Default 2 minutes.
   */
  readonly deadline?: string | undefined
  /** For whom the action works, how much of it may exist, and for how long. Default: for everybody, without limits. */
  readonly policy?: ActionPolicy | undefined
  /** The provider behind the action: prepared at start-up, checked by `holdpoint doctor`, closed at the end. */
  readonly driver?: ResourceDriver | undefined
  /**
   * Does the work while the build is held. The reference it returns is kept in Temporal's history in clear: ids and
   * names, never a secret.
   */
  provision?(call: ProvisionCall<Options>): Promise<Reference>
  /** Changes what was made before the build may use it: database migrations. Runs after `provision`. */
  migrate?(call: OutcomeCall<Options, Reference>): Promise<void>
  /** Returns once what was made is fit for use; changes nothing. The last step before the outcome. */
  ready?(call: OutcomeCall<Options, Reference>): Promise<void>
  /**
   * What Vercel is told on success. Prove every credential first. The same answer each time: a report whose answer
   * was lost is sent again with the same body.
   */
  outcome?(call: OutcomeCall<Options, Reference>): Promise<Record<string, Secret | string>>
  /**
   * Takes back all that `provision` made or half made for this key, knowing nothing but the key. Succeeds when there
   * is nothing. Retried until it holds. Leave it out only when `provision` leaves nothing behind.
   */
  deprovision?(call: DeprovisionCall): Promise<void>
  /** Everything `provision` ever made that still exists, whoever it was made for, and whoever needs it still. */
  list?(call: ListCall): Promise<ProvisionedObject[]>
  /**
   * Destroys the object of this name, which `list` told has no owner any more and whose time was over. Answers false
   * and leaves it when that is no longer so, and true when it is gone, the second time too. With `atOnce` its time need
   * not be over: its installation is removed.
   */
  expire?(call: ListCall & { readonly name: string; readonly atOnce?: boolean }): Promise<boolean>

  // What a policy needs to know beyond `list`.

  /** Whether all deployments of a git branch get one object together. */
  readonly sharesGitBranches?: boolean | undefined
  /**
   * The name under which `list` tells what `provision` makes or finds for this call. Leave it out where what is listed
   * for the call's own key is that.
   */
  nameOf?(call: Pick<ProvisionCall<Options>, 'key' | 'deployment'>): string
  /**
   * Destroys the object of this name to make room, before its time is over. Answers false and leaves it when somebody
   * needs it, and true when it is gone, the second time too.
   */
  evict?(call: ListCall & { readonly name: string }): Promise<boolean>
  /**
   * Does the work while no other call of this for the same place is at work, in any process. The signal aborts when
   * that can no longer be promised, or with the call's own.
   */
  exclusively?(
    call: ListCall & { readonly place: QuotaPlace },
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void>
}

/** What a quota is counted for: one resource, or all of the installation together. */
export interface QuotaPlace {
  readonly installationId: string
  readonly resourceId?: string
}

export type Environment = 'production' | 'preview' | 'development' | (string & {})

export interface ActionCall extends DriverCall {
  readonly key: ActionKey
  readonly log: Log
}

export interface ProvisionCall<Options> extends ActionCall {
  readonly deployment: Deployment
  readonly options: Options
}

export interface OutcomeCall<Options, Reference> extends ProvisionCall<Options> {
  readonly reference: Reference
}

export interface DeprovisionCall extends ActionCall {
  /** As the run of the action read it; unset when no run is there to tell, as in a cleanup months later. */
  readonly deployment?: Deployment
}

export interface ListCall extends Omit<ActionCall, 'key'> {
  /** The slug that the action has in the configuration: what was made for another one is none of its business. */
  readonly action: string
}

/** What exists at the provider on behalf of one action; what several share stands in a list once for each. */
export interface ProvisionedObject {
  readonly name: string
  /** Unset: nobody needs it any more, and it may go at `expiresAtMs`. */
  readonly owner?: ActionKey
  /** Without an owner: whose it is, for quotas and when the installation is removed. */
  readonly resource?: Pick<ActionKey, 'installationId' | 'resourceId'>
  /** The git branch whose deployments share it. */
  readonly gitBranch?: string
  /** Since when it is there for that owner, in milliseconds since 1970; unset when the provider does not tell. */
  readonly sinceMs?: number
  readonly expiresAtMs?: number
  readonly complete: boolean
  /** Which Holdpoint made it; see `DriverCall`. */
  readonly holdpoint?: string
}

/** Declares an action; its slug is the name it has in `defineConfig({ actions })`. */
export function defineAction<Options = Record<never, never>, Reference = void>(
  definition: ActionDefinition<Options, Reference>,
): ActionDefinition<Options, Reference> {
  return Object.freeze({ ...definition })
}

/** An action whose option and reference types are its own business: its functions agree with one another on them. */
// oxlint-disable-next-line typescript/no-explicit-any -- a map holds actions of many types; `unknown` refuses them all
export type AnyAction = ActionDefinition<any, any>

/** An action as the checked configuration declares it. */
export interface DeclaredAction {
  readonly slug: string
  readonly definition: AnyAction
  readonly deadlineMs: number
  readonly policy?: Policy
}
