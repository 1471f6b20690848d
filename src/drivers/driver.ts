import type { BranchRef } from '../domain/branch-ref.ts'
import type { ResourceKey } from '../domain/resource-key.ts'
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

  /** Branches that several deployments share. Left out by a driver that cannot keep claims at its provider. */
  readonly sharing?: BranchSharing

  /** Resources that are made here. Left out by a driver whose provider makes them otherwise. */
  readonly resources?: ResourceProvisioning

  /** What an operator should know or mend before relying on this provider; for `holdpoint doctor`. Never throws. */
  check(): Promise<Finding[]>

  /** Closes connections and stops what `prepare` started. A second call does nothing. */
  close(): Promise<void>
}

/**
 * Branches that several deployments share. Each deployment holds a claim, which is written on the branch itself: so a
 * deployment can give its claim up months later, when no history tells which branch it had. `openBranch` and
 * `listBranches` work for shared branches too; `createBranch` and `deleteBranch` refuse them (`branch_shared`), as these
 * calls refuse a branch of one deployment alone (`branch_not_shared`).
 */
export interface BranchSharing {
  /**
   * Puts the deployment's claim on the branch, and makes it as `createBranch` does where it does not stand complete.
   * With `reset`, a claim that is new makes the branch anew from its source; one that the branch has already changes
   * nothing, so that a repeated call never takes from a deployment what it has been given. The claim is written
   * before anything is made, in the step that also says that the branch is not complete until it was made anew.
   */
  claimBranch(
    request: { source: string; ref: BranchRef; deploymentId: string; onPush: 'reuse' | 'reset' },
    call: DriverCall,
  ): Promise<void>

  /**
   * Takes the deployment's claim off the branch, and notes the time when it was the last one. Nothing else of the
   * branch changes. Succeeds when there is no such claim or branch. Waits for a call that puts the claim on.
   */
  releaseClaim(request: { ref: BranchRef; deploymentId: string }, call: DriverCall): Promise<void>

  /**
   * Makes the branch anew where somebody has a claim on it and it is not complete, as after a reset that was given up.
   * Else it changes nothing, the second time too.
   */
  restoreBranch(request: { source: string; ref: BranchRef }, call: DriverCall): Promise<void>

  /**
   * Destroys the branch if nobody has had a claim on it for `unclaimedForMs` milliseconds; at once where it is not
   * complete and has no claim. Answers whether nothing of it is left; false means that it was left as it is.
   */
  deleteUnclaimed(
    request: { ref: BranchRef; unclaimedForMs: number },
    call: DriverCall,
  ): Promise<boolean>

  /**
   * Does `work` while no other call makes, resets or deletes the branch, and no other `exclusively` of it runs, in any
   * process. `work` gets a signal that aborts when that can no longer be promised, or with the call's own.
   */
  exclusively<Result>(
    ref: BranchRef,
    call: DriverCall,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result>
}

/**
 * Resources that are made here, with credentials of generations 1, 2, …, several of which may be good at a time. A
 * resource is told by its `resourceId` alone, which `createBranch` takes as its source: the installation of a key is the
 * one that has the resource now, and may be another one tomorrow. No call reads or changes what is in it, and
 * `listBranches` never tells of it.
 *
 * What was not made for this resource by this Holdpoint is refused for good (`resource_owner_mismatch`) and left as it is.
 */
export interface ResourceProvisioning {
  /**
   * Makes the resource with credentials of generation 1, complete and marked with its id when this returns, and answers
   * the newest generation. The second time it finds the resource, completes what a call that died left half made, and
   * sets the limit anew.
   */
  createResource(request: ResourceRequest, call: DriverCall): Promise<{ generation: number }>

  /**
   * The way in by the credentials of this generation, proved by a login a moment ago; the same each time. Fails for good
   * when the resource is missing, these credentials were ended, or nobody can tell them any more: then `addLogin` makes
   * others, while those in use go on working.
   */
  openResource(
    request: { key: ResourceKey; generation: number },
    call: DriverCall,
  ): Promise<ResourceConnection>

  /**
   * Makes credentials of a generation after this one and after all that stand, which all stay good, and answers it. The
   * new ones reach all that the old ones made, and the other way round. The second time for the same rotation it finds
   * those that it made.
   */
  addLogin(
    request: ResourceRequest & { generation: number; rotationId: string },
    call: DriverCall,
  ): Promise<{ generation: number }>

  /**
   * Ends all credentials of earlier generations, with the sessions that they opened. What was made with them stays.
   * Succeeds when there are none.
   */
  endOlderLogins(request: { key: ResourceKey; generation: number }, call: DriverCall): Promise<void>

  /**
   * Destroys the resource with all in it and all its credentials, half-made ones and open connections included, and
   * waits for a creation that is still at work. Its branches stay as they are, where the provider keeps them apart.
   * Succeeds when there is nothing.
   */
  deleteResource(key: ResourceKey, call: DriverCall): Promise<void>
}

export interface ResourceRequest {
  readonly key: ResourceKey
  /** How many connections there may be at a time by the credentials of one generation. Unset: as many as the provider allows. */
  readonly connectionLimit?: number
}

/** The way into a resource, as that into a branch. */
export type ResourceConnection = BranchConnection

/** What every call gets from the activity that makes it. */
export interface DriverCall {
  /**
   * Which Holdpoint this is; written on what is made. Several may use one provider, and each looks after its own only.
   */
  readonly holdpoint: string
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
  /** The same through its provider's connection pooler, proved by a login too; unset where there is none. */
  readonly pooledUrl?: Secret
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
  /** Which Holdpoint made it, where the mark tells. */
  readonly holdpoint?: string
  /** For a shared branch: the deployments that hold a claim on it. */
  readonly claims?: readonly BranchClaim[]
  /** For a shared branch without a claim: since when. */
  readonly unclaimedSince?: Date
}

export interface BranchClaim {
  readonly deploymentId: string
  readonly claimedAt: Date
}

/** Servers that Holdpoint runs itself when the environment names none. */
export interface EmbeddedServers {
  /** Starts the embedded Postgres, or finds the running one; answers its superuser's connection URL. */
  postgres(): Promise<string>
}
