import type { BranchRef } from '../domain/branch-ref.ts'
import type { Secret } from '../domain/secret.ts'
import type { Finding } from '../domain/finding.ts'

/**
 * One kind of resource provider: makes, opens, finds and destroys branches (copies of a resource made for one
 * deployment). Holdpoint keeps no ledger: what `listBranches` tells is all that is known of what exists, so a
 * driver writes the owner on the branch in the same step that creates it, or in one that a later call repairs.
 *
 * Every call can be cut off at any point and be made again, by another process, while the first one still works
 * at the provider. Calls for one branch name must therefore exclude each other at the provider.
 */
export interface ResourceDriver {
  /** `postgres`, `neon`, …: for people. */
  readonly kind: string

  /**
   * Gets the driver ready for its first call; `servers` starts embedded ones where the configuration names none.
   * A second call does nothing. Throws an `ActionFailure` when the provider cannot be reached.
   */
  prepare?(servers: EmbeddedServers): Promise<void>

  /**
   * Makes the branch `ref` as a copy of `source`, complete and marked with its owner when this returns.
   * The second time it returns with the same branch; a half-made one from a call that died is made anew.
   * Fails for good (`retryable: false`) when the source is missing, is in use and cannot be copied otherwise, or a
   * branch of that name has another owner. When `signal` aborts, it stops the work at the provider and throws.
   */
  createBranch(request: { source: string; ref: BranchRef }, call: DriverCall): Promise<void>

  /**
   * The way into the branch, proved by a login a moment ago. The same connection each time: a repeated report to
   * Vercel must carry the same secrets. Fails for good when the branch is missing or has another owner.
   */
  openBranch(ref: BranchRef, call: DriverCall): Promise<BranchConnection>

  /**
   * Destroys the branch with all that was made for it (roles, grants), open connections to it included. Succeeds
   * when there is nothing, and waits for a creation of the same name that is still at work. Refuses for good what
   * does not carry exactly this owner: nothing of anybody else is ever destroyed.
   */
  deleteBranch(ref: BranchRef, call: DriverCall): Promise<void>

  /** All branches that carry an owner mark, half-made ones and leftover roles included; nothing else. */
  listBranches(call: DriverCall): Promise<BranchRecord[]>

  /** What an operator should know or mend before relying on this provider; for `holdpoint doctor`. Never throws. */
  check(): Promise<Finding[]>

  /** Closes connections and stops what `prepare` started. A second call does nothing. */
  close(): Promise<void>
}

/** What every call gets from the activity that makes it. */
export interface DriverCall {
  /** Aborts when the action is canceled, its deadline passes or the worker shuts down. */
  readonly signal: AbortSignal
  /**
   * Asks Temporal whether this call is still wanted, and throws when it was given up: canceled, timed out or taken
   * over. A worker that stood still for a while does not know that, and its action may be undone already. So ask right
   * before something is made, holding what excludes other calls for the same name.
   */
  confirm(): Promise<void>
  /** Tells Temporal that the work goes on, and people what it does. Optional: the activity heartbeats by itself. */
  progress(text: string): void
  /**
   * Derives secrets from Holdpoint's keys, for passwords that a repeated call must be able to tell again: the same
   * purpose gives the same ones on each call and machine. The first is for what is made now; while a key is being
   * rotated the others are those that were given out under older keys, and what one of them still opens keeps it.
   */
  deriveSecrets(purpose: string): readonly [Secret, ...Secret[]]
}

export interface BranchConnection {
  readonly url: Secret
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: Secret
  readonly database: string
}

export interface BranchRecord {
  readonly ref: BranchRef
  /** The resource it is a copy of, where the mark tells. */
  readonly source?: string
  readonly createdAt?: Date
  /** False for a half-made or half-destroyed branch. */
  readonly complete: boolean
}

/** Servers that Holdpoint runs itself when the environment names none. */
export interface EmbeddedServers {
  /** Starts the embedded Postgres, or finds the running one; answers its superuser's connection URL. */
  postgres(): Promise<string>
}
