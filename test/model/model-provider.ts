import type { ActionKey } from '../../src/domain/action-key.ts'
import {
  type BranchOwner,
  type BranchRef,
  branchRef,
  isOwn,
  sameOwner,
} from '../../src/domain/branch-ref.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import type {
  BranchConnection,
  BranchRecord,
  BranchSharing,
  DriverCall,
  ResourceDriver,
} from '../../src/drivers/driver.ts'
import { ProviderSessions, type Session } from './provider-sessions.ts'
import { callRemotely } from './remote-call.ts'
import { type Fault, nameOf, type Script, type Step } from './script.ts'
import type { Process, VirtualClock } from './virtual-clock.ts'

/** Stands in every secret of the model, so that one search finds them all. */
export const SECRET_MARK = 'S3CRET'

/** How long the client of this provider waits for an answer. A copy may take long. */
const GIVE_UP_AFTER_MS = 20_000
const GIVE_UP_CREATING_AFTER_MS = 200_000

const NOBODY: ActionKey = { installationId: '', resourceId: '', deploymentId: '', action: '' }

/** What stands at the provider under one name. */
export interface ModelBranch {
  readonly owner: BranchOwner
  readonly createdAt: Date
  complete: boolean
  /** For a shared branch: the deployments that hold a claim, and since when. */
  readonly claims: Map<string, Date>
  unclaimedSince: Date | undefined
  /** The actions whose migrations are in the copy. */
  migrated: Set<string>
  /** The deployment whose claim made the copy, or began to make it anew. */
  madeFor: string | undefined
}

/** A step of an action at work on a shared branch. */
interface StepAtWork {
  readonly key: ActionKey
  readonly process: Process | undefined
  readonly cuts: number
}

/**
 * A resource provider in memory, behind the contract of a driver: its calls for one branch exclude each other at the
 * provider, and what a client asked for is done even when the client died. It notes what nobody may ever see.
 */
export class ModelProvider implements ResourceDriver {
  readonly kind = 'model'
  /** What exists, by its name. */
  readonly branches = new Map<string, ModelBranch>()
  readonly violations: string[] = []
  readonly sharing: BranchSharing
  /** Whether a build has, or will have, what was made for this action. */
  serves: (key: ActionKey) => boolean = () => false
  /** Whom the call that now begins is made for. */
  asker: () => ActionKey = () => NOBODY
  readonly #sessions: ProviderSessions
  readonly #world: { clock: VirtualClock; script: Script }
  /** Whether a step that is told to stop does what it was about to do. */
  readonly #goesOn: boolean
  /** Whether calls for one branch exclude each other, and ask whether they are wanted before they make anything. */
  readonly #excludes: boolean
  /** How long a shared branch must outlive its last claim. */
  readonly #keepForMs: number
  /** Who claimed which branch and has not given it up, by what was asked for and not by what stands on the branches. */
  readonly #claimants = new Map<string, Set<string>>()
  readonly #atWork = new Map<string, Set<StepAtWork>>()

  constructor(
    world: { clock: VirtualClock; script: Script },
    { goesOn, excludes, keepForMs }: { goesOn: boolean; excludes: boolean; keepForMs: number },
  ) {
    this.#world = world
    this.#goesOn = goesOn
    this.#excludes = excludes
    this.#keepForMs = keepForMs
    this.#sessions = new ProviderSessions(world.clock, { excludes })
    this.sharing = {
      claimBranch: (request, call) => this.#claim(request, call),
      releaseClaim: (request, call) => this.#release(request, call),
      restoreBranch: ({ ref }, call) => this.#restore(ref, call),
      deleteUnclaimed: (request, call) => this.#deleteUnclaimed(request, call),
      exclusively: (ref, call, work) =>
        this.#alone(ref, call, (session) =>
          work(AbortSignal.any([call.signal, session.broken.signal])),
        ),
    }
  }

  /** What there is for the action: its own branch, or one on which its deployment has a claim. */
  branchOf(key: ActionKey): ModelBranch | undefined {
    const own = this.branches.get(branchRef(key).name)
    if (own && sameOwner(own.owner, key)) return own
    return [...this.branches.values()].find(
      ({ owner, claims }) => owner.action === key.action && claims.has(key.deploymentId),
    )
  }

  has(key: ActionKey): boolean {
    return this.branchOf(key) !== undefined
  }

  createBranch({ ref }: { source: string; ref: BranchRef }, call: DriverCall): Promise<void> {
    if (!isOwn(ref)) throw new Error('a shared branch is claimed')
    return this.#alone(ref, call, async (session) => {
      if (this.#find(ref)) return
      if (this.#excludes) await call.confirm()
      await this.#ask('create branch', call, session, () => {
        this.branches.set(ref.name, { ...this.#newBranch(ref), complete: true })
      })
    })
  }

  async openBranch(ref: BranchRef, call: DriverCall): Promise<BranchConnection> {
    const password = call.deriveSecrets(ref.name)[0]
    await this.#ask('open branch', call, undefined, () => {
      const branch = this.#find(ref)
      if (!branch?.complete)
        throw new ActionFailure('branch_missing', 'The branch is missing, or not complete.', {
          retryable: branch !== undefined,
        })
    })
    return {
      url: new Secret(`postgres://u:${password.reveal()}@h/d`),
      host: 'h',
      port: 5432,
      user: 'u',
      password,
      database: ref.name,
    }
  }

  deleteBranch(ref: BranchRef, call: DriverCall): Promise<void> {
    if (!isOwn(ref)) throw new Error('a shared branch is given up')
    return this.#alone(ref, call, async (session) => {
      this.#find(ref)
      await this.#ask('delete branch', call, session, () => {
        if (!this.branches.delete(ref.name)) return
        if (this.serves(ref.owner))
          this.#violated(`what ${nameOf(ref.owner)} serves from was destroyed`)
      })
    })
  }

  async listBranches(call: DriverCall): Promise<BranchRecord[]> {
    return await this.#ask('list branches', call, undefined, () =>
      [...this.branches].map(([name, branch]) => ({
        ref: { name, owner: branch.owner },
        source: branch.owner.resourceId,
        createdAt: branch.createdAt,
        complete: branch.complete,
        holdpoint: 'model',
        claims: [...branch.claims].map(([deploymentId, claimedAt]) => ({
          deploymentId,
          claimedAt,
        })),
        ...(branch.unclaimedSince && { unclaimedSince: branch.unclaimedSince }),
      })),
    )
  }

  check() {
    return Promise.resolve([])
  }

  close() {
    return Promise.resolve()
  }

  /** Lets go of what the sessions of a process held, once their statements are done. */
  lose(process: Process): void {
    this.#sessions.lose(process)
  }

  /** Cuts every connection. */
  cutConnections(): void {
    this.#world.script.tell('The provider cuts all connections')
    this.#sessions.cut()
  }

  /** Does a step of the action on its branch, and what it asks the branch for. */
  async step(
    step: 'migrate' | 'ready',
    { database }: BranchConnection,
    { key, signal }: { key: ActionKey; signal: AbortSignal },
  ): Promise<void> {
    // With the connection that kept the others out, the right to begin may be gone.
    signal.throwIfAborted()
    const { process } = this.#world.clock
    const others = this.#others(database)
    if (this.#isShared(database) && others.length > 0)
      this.#violated(`${step} of ${nameOf(key)} began beside ${nameOf(others[0]!.key)}`)
    const atWork: StepAtWork = { key, process, cuts: this.#sessions.cuts }
    const all = this.#atWork.get(database) ?? new Set()
    this.#atWork.set(database, all.add(atWork))
    try {
      await callRemotely(this.#world, {
        key,
        step,
        signal,
        goesOn: this.#goesOn,
        latencyMs: 25,
        effect: () => {
          const branch = this.branches.get(database)
          if (!branch) throw failureOf(step, 'broken before its effect')
          if (step === 'migrate') branch.migrated.add(nameOf(key))
        },
        fail: (fault) => {
          throw failureOf(step, fault)
        },
      })
    } finally {
      all.delete(atWork)
    }
  }

  // Shared branches.

  #claim(
    {
      ref,
      deploymentId,
      onPush,
    }: { ref: BranchRef; deploymentId: string; onPush: 'reuse' | 'reset' },
    call: DriverCall,
  ): Promise<void> {
    const asker = nameOf(this.asker())
    return this.#alone(ref, call, async (session) => {
      const found = this.#find(ref)
      if (found?.complete && found.claims.has(deploymentId)) return
      await call.confirm()
      const branch = await this.#ask('claim branch', call, session, () => {
        const stands = this.branches.get(ref.name) ?? this.#newBranch(ref)
        this.branches.set(ref.name, stands)
        const claimants = this.#claimants.get(ref.name) ?? new Set()
        this.#claimants.set(ref.name, claimants)
        if (!stands.claims.has(deploymentId)) {
          stands.claims.set(deploymentId, new Date(this.#world.clock.now))
          stands.unclaimedSince = undefined
          if (onPush === 'reset' || !stands.complete) stands.madeFor = deploymentId
          if (onPush === 'reset' && stands.complete) {
            stands.complete = false
            if (claimants.has(asker))
              this.#violated(`${asker} takes from ${ref.name} what it was given`)
          }
        }
        claimants.add(asker)
        return stands
      })
      if (!branch.complete) await this.#makeAnew(branch, ref, call, session)
    })
  }

  #restore(ref: BranchRef, call: DriverCall): Promise<void> {
    return this.#alone(ref, call, async (session) => {
      const branch = this.#find(ref)
      if (!branch || branch.complete || branch.claims.size === 0) return
      await call.confirm()
      await this.#makeAnew(branch, ref, call, session)
    })
  }

  async #makeAnew(
    branch: ModelBranch,
    ref: BranchRef,
    call: DriverCall,
    session: Session,
  ): Promise<void> {
    await this.#ask('create branch', call, session, () => {
      const others = this.#others(ref.name)
      if (others.length > 0)
        this.#violated(`${ref.name} was made anew while ${nameOf(others[0]!.key)} works on it`)
      branch.complete = true
      branch.migrated = new Set()
    })
  }

  #release(
    { ref, deploymentId }: { ref: BranchRef; deploymentId: string },
    call: DriverCall,
  ): Promise<void> {
    const asker = this.asker()
    return this.#alone(ref, call, async (session) => {
      const branch = this.#find(ref)
      if (!branch?.claims.has(deploymentId)) return
      await call.confirm()
      await this.#ask('release claim', call, session, () => {
        const key = { ...asker, deploymentId }
        if (nameOf(key) !== nameOf(asker))
          this.#violated(`${nameOf(asker)} gives up the claim of ${nameOf(key)}`)
        if (this.serves(key))
          this.#violated(`the claim of ${nameOf(key)} was given up while it serves`)
        branch.claims.delete(deploymentId)
        if (branch.claims.size === 0) branch.unclaimedSince = new Date(this.#world.clock.now)
        this.#claimants.get(ref.name)?.delete(nameOf(key))
      })
    })
  }

  #deleteUnclaimed(
    { ref, unclaimedForMs }: { ref: BranchRef; unclaimedForMs: number },
    call: DriverCall,
  ): Promise<boolean> {
    return this.#alone(ref, call, async (session) => {
      const branch = this.#find(ref)
      if (branch && this.#isWanted(branch, unclaimedForMs)) return false
      await call.confirm()
      await this.#ask('delete branch', call, session, () => {
        const [claimant] = this.#claimants.get(ref.name) ?? []
        if (branch && claimant)
          this.#violated(`${ref.name} was destroyed, which ${claimant} claims`)
        const keptUntil = (branch?.unclaimedSince?.getTime() ?? 0) + this.#keepForMs
        if (branch?.complete && this.#world.clock.now < keptUntil)
          this.#violated(`${ref.name} was destroyed before its time`)
        this.branches.delete(ref.name)
      })
      return true
    })
  }

  #isWanted(branch: ModelBranch, unclaimedForMs: number): boolean {
    if (branch.claims.size > 0) return true
    const since = branch.unclaimedSince ?? branch.createdAt
    return branch.complete && this.#world.clock.now - since.getTime() < unclaimedForMs
  }

  #isShared(name: string): boolean {
    const owner = this.branches.get(name)?.owner
    return owner !== undefined && !('deploymentId' in owner)
  }

  /** Steps that work on the branch now, but those of a worker that died or whose connection was cut meanwhile. */
  #others(name: string): StepAtWork[] {
    return [...(this.#atWork.get(name) ?? [])].filter(
      ({ process, cuts }) => !process?.died && cuts === this.#sessions.cuts,
    )
  }

  // What every call does.

  #newBranch({ owner }: BranchRef): ModelBranch {
    return {
      owner,
      createdAt: new Date(this.#world.clock.now),
      complete: false,
      claims: new Map(),
      unclaimedSince: undefined,
      migrated: new Set(),
      madeFor: undefined,
    }
  }

  /** The branch of this name, if there is one. Throws when it belongs to somebody else. */
  #find(ref: BranchRef): ModelBranch | undefined {
    const branch = this.branches.get(ref.name)
    if (!branch || sameOwner(branch.owner, ref.owner)) return branch
    throw new ActionFailure(
      'owned_by_another',
      'A branch of that name has another owner, so it is not touched: delete it.',
      { retryable: false },
    )
  }

  /** Where calls exclude each other, those that come later wait anyway; else a slow one is what matters. */
  #latencyMs(step: Step): number {
    if (step === 'enter provider') return 2
    return step === 'create branch' && !this.#excludes ? 300 : 25
  }

  /** Does the work while no other session works for the same branch. */
  async #alone<Result>(
    ref: BranchRef,
    call: DriverCall,
    work: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    await this.#ask('enter provider', call, undefined, () => {})
    const session = await this.#sessions.begin(ref.name, call.signal)
    try {
      return await work(session)
    } finally {
      this.#sessions.end(session)
    }
  }

  async #ask<Answer>(
    step: Step,
    call: DriverCall,
    session: Session | undefined,
    effect: () => Answer,
  ): Promise<Answer> {
    const patienceMs = step === 'create branch' ? GIVE_UP_CREATING_AFTER_MS : GIVE_UP_AFTER_MS
    const signals = [call.signal, AbortSignal.timeout(patienceMs)]
    if (session) {
      session.broken.signal.throwIfAborted()
      signals.push(session.broken.signal)
    }
    const statement = Symbol(step)
    session?.working.add(statement)
    const over = () => {
      session?.working.delete(statement)
      if (session?.lost && session.working.size === 0) session.release()
    }
    try {
      return await callRemotely(this.#world, {
        key: this.asker(),
        step,
        signal: AbortSignal.any(signals),
        latencyMs: this.#latencyMs(step),
        goesOn: this.#goesOn,
        arrived: over,
        effect,
        fail: (fault) => {
          throw failureOf(step, fault)
        },
      })
    } finally {
      over()
    }
  }

  #violated(line: string): void {
    this.#world.script.tell(`VIOLATED: ${line}`)
    this.violations.push(line)
  }
}

const MAY_BE_REFUSED: ReadonlySet<Step> = new Set([
  'claim branch',
  'create branch',
  'open branch',
  'migrate',
])

function failureOf(step: Step, fault: Fault): Error {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others break it
  switch (fault) {
    case 'too busy':
      return new ActionFailure('busy', 'The provider is busy.', {
        retryable: true,
        retryAfterMs: 20_000,
      })
    case 'unreachable':
    case 'cut off before its effect':
    case 'cut off after its effect':
      return new ActionFailure('unreachable', 'The provider does not answer.', { retryable: true })
    case 'unauthorized':
    case 'refused as 400':
    case 'refused as 404':
    case 'refused as 409':
    case 'refused as 410':
      // By its contract a driver never refuses to destroy what it made.
      return new ActionFailure('refused', 'The provider refuses.', {
        retryable: !MAY_BE_REFUSED.has(step),
      })
    default:
      return new Error(`postgres://u:${SECRET_MARK}@h/d is broken`)
  }
}
