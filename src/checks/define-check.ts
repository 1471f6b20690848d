import type { ActionKey } from '../domain/action-key.ts'
import type {
  CheckBlocks,
  CheckDeclaration,
  CheckRequirement,
} from '../domain/check-registration.ts'
import type { CheckConclusion, CheckRunKey, CheckVerdict } from '../domain/check-run.ts'
import type { Deployment } from '../domain/deployment.ts'
import type { DeploymentCheckDeclaration } from '../domain/deployment-check.ts'
import type { DriverCall, ResourceDriver } from '../drivers/driver.ts'
import type { Log } from '../log.ts'

/**
 * What a check is: Vercel runs it on each deployment of a project that the resource is connected to.
 *
 * With the Checks API v2 it is registered with the project when the resource is connected; what is changed here later
 * holds for projects that are connected from then on, except `after`, `deadline` and what is run. With v1 it is created
 * for each deployment, as that is created, and is run once that is built: what is changed holds from the next one on.
 */
export interface CheckDefinition {
  /**
   * Which Checks API it is made with. Default `'v2'`. v1 shows people no text and no output: `text` is in the Web UI of
   * Temporal and in the log. It has neither `requires` nor `timeout`.
   */
  readonly api?: 'v1' | 'v2' | undefined
  /** As people read it in Vercel. A run finds its check by it: no two may share a name, and a renamed one is a new one. */
  readonly name: string
  /** What must be there before Vercel starts it. Default `'deployment-url'`, which is Vercel's own. */
  readonly requires?: CheckRequirement | undefined
  /**
   * What a check that fails holds up. Vercel may take no more than `'deployment-alias'` and `'none'`. With v1 the
   * deployment fails with the check, unless this is `'none'`.
   */
  readonly blocks?: CheckBlocks | undefined
  /** The environments whose deployments are checked. Unset, it is production alone. */
  readonly targets?: readonly string[] | undefined
  /**
   * When Vercel counts a run as timed out, such as `'10 minutes'`. Unset, Vercel takes 300, in seconds by all that is
   * known; its documentation names no unit.
   */
  readonly timeout?: string | undefined
  /** Whether people may have it run once more. */
  readonly isRerequestable?: boolean | undefined
  /**
   * How long a run may take, with its wait for the action, before it is concluded as `timeout`, with v1 as `failed`.
   * Default: the timeout, less up to 30 seconds for the conclusion to arrive; with v1 4.5 minutes, which is the most.
   */
  readonly deadline?: string | undefined
  /**
   * The slug of the action whose work it looks at: a run waits until that action of the same deployment and resource is
   * done, and is not run when that has left nothing.
   */
  readonly after?: string | undefined
  /** The provider behind the check: prepared at start-up, checked by `holdpoint doctor`, closed at the end. */
  readonly driver?: ResourceDriver | undefined
  /** Where people can watch the run: an `https:` address, or with v2 an `sso:` path of the provider's own pages. */
  externalUrl?(run: CheckRunKey): string
  /**
   * Checks. Runs as a Temporal activity: it may be cut off anywhere and be called again, by another process too, so it
   * must be idempotent. `call.signal` aborts on cancel, deadline and shutdown; honour it. Throw `ActionFailure` to say
   * whether a retry makes sense and what people should read: one that is final concludes the run as failed. Any other
   * error is tried again until the deadline. What it returns is kept in Temporal's history in clear: never a secret.
   */
  run(call: CheckCall): Promise<CheckResult>
}

export interface CheckResult extends CheckVerdict {
  readonly conclusion: Exclude<CheckConclusion, 'canceled' | 'timeout'>
}

export interface CheckCall extends DriverCall {
  readonly key: CheckRunKey
  readonly deployment: Deployment
  /** The provider's id of the resource that the check was registered for, where Vercel tells. */
  readonly resourceId?: string
  /** The action of `after`, done by now. Unset where Vercel does not tell the resource, so that nobody knows whose. */
  readonly action?: ActionKey
  readonly log: Log
}

/** Declares a check; its slug is the name it has in `defineConfig({ checks })`. */
export function defineCheck(definition: CheckDefinition): CheckDefinition {
  return Object.freeze({ ...definition })
}

/** A check as the checked configuration declares it. */
export type DeclaredCheck = {
  readonly slug: string
  readonly definition: CheckDefinition
  readonly deadlineMs: number
} & (
  | {
      readonly api: 'v2'
      /** What Vercel is told of it. */
      readonly declaration: CheckDeclaration
    }
  | { readonly api: 'v1'; readonly declaration: DeploymentCheckDeclaration }
)
