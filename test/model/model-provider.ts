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
import type { BranchConnection, DriverCall, ResourceDriver } from '../../src/drivers/driver.ts'
import { callRemotely } from './remote-call.ts'
import { type Fault, nameOf, type Script, type Step } from './script.ts'
import type { Process, VirtualClock } from './virtual-clock.ts'

/** Stands in every secret of the model, so that one search finds them all. */
export const SECRET_MARK = 'S3CRET'

/** How long the client of this provider waits for an answer. A copy may take long. */
const GIVE_UP_AFTER_MS = 20_000
const GIVE_UP_CREATING_AFTER_MS = 200_000

const NOBODY: ActionKey = { installationId: '', resourceId: '', deploymentId: '', action: '' }

/** One session at the provider that excludes others for the same branch. */
interface Session {
  readonly process: Process | undefined
  /** Statements at work, which a lost client does not stop. */
  readonly working: Set<symbol>
  lost: boolean
  release(): void
}

/**
 * A resource provider in memory, behind the contract of a driver: its calls for one branch exclude each other at the
 * provider, and what a client asked for is done even when the client died.
 */
export class ModelProvider implements ResourceDriver {
  readonly kind = 'model'
  /** What exists, by its name. */
  readonly branches = new Map<string, BranchOwner>()
  readonly violations: string[] = []
  /** Whether a build has, or will have, what was made for this action. */
  serves: (key: ActionKey) => boolean = () => false
  /** Whom the call that now begins is made for. */
  asker: () => ActionKey = () => NOBODY
  /** Whether a step that is told to stop does what it was about to do. */
  readonly #goesOn: boolean
  readonly #world: { clock: VirtualClock; script: Script }
  readonly #sessions = new Map<string, Session[]>()

  /** Whether calls for one branch exclude each other, and ask whether they are wanted before they make anything. */
  readonly #excludes: boolean

  constructor(
    world: { clock: VirtualClock; script: Script },
    { goesOn, excludes }: { goesOn: boolean; excludes: boolean },
  ) {
    this.#world = world
    this.#goesOn = goesOn
    this.#excludes = excludes
  }

  has(key: ActionKey): boolean {
    const owner = this.branches.get(branchRef(key).name)
    return owner !== undefined && sameOwner(owner, key)
  }

  createBranch({ ref }: { source: string; ref: BranchRef }, call: DriverCall): Promise<void> {
    return this.#alone(ref, call, async (session) => {
      const owner = this.branches.get(ref.name)
      if (owner) return this.#checkOwner(owner, ref)
      if (this.#excludes) await call.confirm()
      await this.#ask('create branch', call, session, () => {
        this.branches.set(ref.name, ref.owner)
      })
    })
  }

  async openBranch(ref: BranchRef, call: DriverCall): Promise<BranchConnection> {
    const password = call.deriveSecrets(ref.name)[0]
    await this.#ask('open branch', call, undefined, () => {
      const owner = this.branches.get(ref.name)
      if (!owner)
        throw new ActionFailure('branch_missing', 'The branch is missing.', { retryable: false })
      this.#checkOwner(owner, ref)
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
    return this.#alone(ref, call, async (session) => {
      const owner = this.branches.get(ref.name)
      if (owner) this.#checkOwner(owner, ref)
      await this.#ask('delete branch', call, session, () => {
        if (!this.branches.delete(ref.name)) return
        if (isOwn(ref) && this.serves(ref.owner))
          this.violations.push(`what ${nameOf(ref.owner)} serves from was destroyed`)
      })
    })
  }

  listBranches() {
    return Promise.resolve([])
  }

  check() {
    return Promise.resolve([])
  }

  close() {
    return Promise.resolve()
  }

  /** Lets go of what the sessions of a process held, once their statements are done. */
  lose(process: Process): void {
    for (const sessions of this.#sessions.values()) {
      for (const session of sessions.slice()) {
        if (session.process !== process) continue
        session.lost = true
        if (session.working.size === 0) session.release()
      }
    }
  }

  /** Where calls exclude each other, those that come later wait anyway; else a slow one is what matters. */
  #latencyMs(step: Step): number {
    if (step === 'enter provider') return 2
    return step === 'create branch' && !this.#excludes ? 300 : 25
  }

  #checkOwner(owner: BranchOwner, ref: BranchRef): void {
    if (sameOwner(owner, ref.owner)) return
    throw new ActionFailure(
      'owned_by_another',
      'A branch of that name has another owner, so it is not touched: delete it.',
      { retryable: false },
    )
  }

  /** Does the work while no other session works for the same branch. */
  async #alone(
    ref: BranchRef,
    call: DriverCall,
    work: (session: Session) => Promise<void>,
  ): Promise<void> {
    await this.#ask('enter provider', call, undefined, () => {})
    const session = await this.#begin(ref, call)
    try {
      await work(session)
    } finally {
      session.lost = true
      if (session.working.size === 0) session.release()
    }
  }

  /** Resolves with a session once those before it ended. */
  #begin(ref: BranchRef, call: DriverCall): Promise<Session> {
    const sessionsOf = (name: string) =>
      (this.#excludes ? this.#sessions.get(name) : undefined) ?? []
    const { clock } = this.#world
    const { process } = clock
    return new Promise((resolve, reject) => {
      const sessions = sessionsOf(ref.name)
      this.#sessions.set(ref.name, sessions)
      const enter = () => clock.after(1, () => resolve(session), { owner: process })
      const session: Session & { enter: () => void } = {
        process,
        working: new Set(),
        lost: false,
        enter,
        release: () => {
          const at = sessions.indexOf(session)
          if (at < 0) return
          sessions.splice(at, 1)
          if (at === 0) (sessions[0] as typeof session | undefined)?.enter()
        },
      }
      sessions.push(session)
      if (sessions[0] === session) enter()
      call.signal.addEventListener(
        'abort',
        () => {
          if (sessions[0] === session) return
          session.release()
          reject(call.signal.reason as Error)
        },
        { once: true },
      )
    })
  }

  async #ask(
    step: Step,
    call: DriverCall,
    session: Session | undefined,
    effect: () => void,
  ): Promise<void> {
    const patienceMs = step === 'create branch' ? GIVE_UP_CREATING_AFTER_MS : GIVE_UP_AFTER_MS
    const statement = Symbol(step)
    session?.working.add(statement)
    const over = () => {
      session?.working.delete(statement)
      if (session?.lost && session.working.size === 0) session.release()
    }
    try {
      await callRemotely(this.#world, {
        key: this.asker(),
        step,
        signal: AbortSignal.any([call.signal, AbortSignal.timeout(patienceMs)]),
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
}

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
        retryable: step !== 'create branch' && step !== 'open branch',
      })
    default:
      return new Error(`postgres://u:${SECRET_MARK}@h/d is broken`)
  }
}
