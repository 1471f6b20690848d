import type { z } from 'zod'
import type { ActionKey } from '../domain/action-key.ts'
import type { Deployment } from '../domain/deployment.ts'
import type { Secret } from '../domain/secret.ts'
import type { DriverCall, ResourceDriver } from '../drivers/driver.ts'
import type { Log } from '../log.ts'

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
  /** The provider behind the action: prepared at start-up, checked by `holdpoint doctor`, closed at the end. */
  readonly driver?: ResourceDriver | undefined
  /**
   * Does the work while the build is held. The reference it returns is kept in Temporal's history in clear: ids and
   * names, never a secret.
   */
  provision?(call: ProvisionCall<Options>): Promise<Reference>
  /**
   * What Vercel is told on success. Prove every credential first. The same answer each time: a report whose answer
   * was lost is sent again with the same body.
   */
  outcome?(call: OutcomeCall<Options, Reference>): Promise<Record<string, Secret | string>>
  /**
   * Takes back all that `provision` made or half made for this key, knowing nothing but the key. Succeeds when there
   * is nothing. Retried until it holds. Leave it out only when `provision` leaves nothing behind.
   */
  deprovision?(call: ActionCall): Promise<void>
  /** Everything `provision` ever made that still exists, whoever it was made for. */
  list?(call: Omit<ActionCall, 'key'>): Promise<ProvisionedObject[]>
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

export interface ProvisionedObject {
  readonly name: string
  readonly owner: ActionKey
  /** In milliseconds since 1970; unset when the provider does not tell. */
  readonly createdAtMs?: number
  readonly complete: boolean
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
}
