import type { ActionPolicy } from '../../src/actions/action-policy.ts'
import { defineAction } from '../../src/actions/define-action.ts'
import type { ActionCall, ProvisionedObject } from '../../src/actions/define-action.ts'
import { type ActionKey, actionDigest } from '../../src/domain/action-key.ts'
import { Secret } from '../../src/domain/secret.ts'

export type ProviderStep = 'create' | 'migrate' | 'ready' | 'open' | 'destroy'

/** A resource provider in memory, whose steps a test may delay or break before or after their effect. */
export interface BranchProvider {
  /** What exists now, by the digest of its owner. */
  readonly branches: Set<string>
  /** What `list` tells of a branch beyond its owner; a test may change it. */
  readonly listed: Map<string, ProvisionedObject>
  /** Everything that was asked of it, in order: `create`, `create done`, `open`, `destroy`. */
  readonly calls: string[]
  /** Runs before the effect of the step with this name; throw to break it there. */
  before: (step: ProviderStep, call: ActionCall) => Promise<void>
  /** Runs after the effect, so that what it throws loses the answer. */
  after: (step: ProviderStep, call: ActionCall) => Promise<void>
  has(key: ActionKey): boolean
}

const nothing = () => Promise.resolve()

export function branchProvider(): BranchProvider {
  const branches = new Set<string>()
  return {
    branches,
    listed: new Map(),
    calls: [],
    before: nothing,
    after: nothing,
    has: (key) => branches.has(actionDigest(key)),
  }
}

/** An action whose branches live at the provider; with `steps` it also migrates and waits until it is ready. */
export function branchAction(
  provider: BranchProvider,
  {
    deadline = '1 minute',
    steps = false,
    policy,
  }: { deadline?: string; steps?: boolean; policy?: ActionPolicy | undefined } = {},
) {
  const step = async (name: ProviderStep, call: ActionCall, effect: () => void) => {
    provider.calls.push(name)
    await provider.before(name, call)
    effect()
    provider.calls.push(`${name} done`)
    await provider.after(name, call)
  }
  return defineAction<Record<never, never>, { branch: string }>({
    name: 'Branch',
    deadline,
    policy,
    async provision(call) {
      const branch = actionDigest(call.key)
      const { key, holdpoint } = call
      await step('create', call, () => {
        provider.branches.add(branch)
        provider.listed.set(branch, {
          name: branch,
          owner: key,
          sinceMs: Date.now(),
          complete: true,
          holdpoint,
        })
      })
      return { branch }
    },
    ...(steps && {
      migrate: (call: ActionCall) => step('migrate', call, () => {}),
      ready: (call: ActionCall) => step('ready', call, () => {}),
    }),
    async outcome(call) {
      await step('open', call, () => {})
      return {
        DATABASE_URL: new Secret(`postgres://${call.deriveSecrets('password')[0].reveal()}@db`),
      }
    },
    async deprovision(call) {
      await step('destroy', call, () => provider.branches.delete(actionDigest(call.key)))
    },
    list: ({ action }) =>
      Promise.resolve(
        [...provider.listed.values()].filter(
          ({ name, owner }) => provider.branches.has(name) && (owner?.action ?? action) === action,
        ),
      ),
    expire: ({ name }) => {
      provider.calls.push('expire')
      return Promise.resolve(provider.branches.delete(name))
    },
  })
}

/** A promise and the function that resolves it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Holds the step until the test lets go or the step is aborted; `reached` resolves when the step is there. */
export function holdStep(provider: BranchProvider, when: 'before' | 'after', name: ProviderStep) {
  const reached = gate()
  const release = gate()
  provider[when] = async (step, { signal }) => {
    if (step !== name) return
    reached.open()
    await Promise.race([
      release.opened,
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      ),
    ])
  }
  return { reached: reached.opened, release: release.open }
}
