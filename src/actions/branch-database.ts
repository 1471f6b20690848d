import type { z } from 'zod'
import { type BranchRef, branchRef, isOwn, sharedBranchRef } from '../domain/branch-ref.ts'
import { parseDuration } from '../domain/duration.ts'
import { matchesAny } from '../domain/glob.ts'
import { PROTECTED_BRANCHES } from '../domain/policy.ts'
import type { Secret } from '../domain/secret.ts'
import type { BranchConnection, BranchSharing, ResourceDriver } from '../drivers/driver.ts'
import type { ActionPolicy } from './action-policy.ts'
import { type BranchCall, branchOf, type BranchScope, sharedBranchOf } from './branch-of.ts'
import { untilReady } from './check-readiness.ts'
import { giveUpClaims } from './give-up-claims.ts'
import type { BranchStepCall, Migration } from './migration.ts'
import { onBranch } from './on-branch.ts'
import { gitBranchOf, provisionedBranches } from './provisioned-branches.ts'
import {
  type ActionDefinition,
  defineAction,
  type Environment,
  type ListCall,
  type ProvisionCall,
  type QuotaPlace,
} from './define-action.ts'

export interface BranchDatabaseSettings<Options> {
  readonly name: string
  readonly description?: string
  readonly options?: z.ZodType<Options>
  readonly suggest?: readonly Environment[]
  readonly deadline?: string
  readonly policy?: ActionPolicy
  readonly driver: ResourceDriver
  /**
   * Who gets a branch: each deployment one of its own, or all deployments of a git branch one together, which lives
   * until the last of them is canceled or removed. Deployments without git get their own. Default `'deployment'`.
   */
  readonly scope?: BranchScope
  /** How long a shared branch stays after its last deployment. Default `'1 hour'`. */
  readonly keepFor?: string
  /**
   * What a further deployment of the git branch finds: what the earlier ones left (`'reuse'`, the default), or a fresh
   * copy of the resource (`'reset'`), which the earlier ones then see too; where the provider refuses that copy, they
   * have no database until the next push. With a `policy`, the branch of a protected git branch is never made anew.
   */
  readonly onPush?: 'reuse' | 'reset'
  /** Changes the branch before the build gets it: `sqlFiles('migrations')`, or `command('npx', ['prisma', …])`. */
  readonly migrate?: Migration
  /** Answers undefined once the branch is fit for use, else one sentence on what is missing; asked every second. */
  readonly ready?: (branch: BranchConnection, call: BranchStepCall) => Promise<string | undefined>
  /** The environment variables of the deployment. Default: `DATABASE_URL`. */
  readonly secrets?: (branch: BranchConnection) => Record<string, Secret | string>
}

const PROBE_EVERY_MS = 1000

/** Gives deployments a branch: a copy of the resource, with its own role and password, until they are gone. */
export function branchDatabase<Options = Record<never, never>>(
  settings: BranchDatabaseSettings<Options>,
): ActionDefinition<Options, { branch: string }> {
  const {
    driver,
    scope = 'deployment',
    keepFor = '1 hour',
    onPush = 'reuse',
    migrate,
    ready,
    secrets = (branch) => ({ DATABASE_URL: branch.url }),
    ...declaration
  } = settings
  const { sharing } = driver
  if (scope === 'git-branch' && !sharing) throw cannotShare(driver)
  const unclaimedForMs = keepForMs(keepFor)

  const refOf = (call: BranchCall) => branchOf(call, scope)
  const branchFor = (call: ProvisionCall<Options>) => ({ driver, ref: refOf(call) })

  const isProtected = (ref: BranchRef): boolean => {
    const gitBranch = gitBranchOf(ref)
    const { policy } = settings
    if (!policy || gitBranch === undefined) return false
    return matchesAny(policy.protectedBranches ?? PROTECTED_BRANCHES, gitBranch)
  }

  /** Destroys the branch of this name if nobody has claimed it for so long; answers whether it is gone. */
  const takeAway = async (
    keeper: BranchSharing,
    call: ListCall & { name: string },
    { afterMs, unless }: { afterMs: number; unless?: (ref: BranchRef) => boolean },
  ): Promise<boolean> => {
    const branch = (await driver.listBranches(call)).find(({ ref }) => ref.name === call.name)
    if (!branch) return true
    if (unless?.(branch.ref) === true) return false
    return await keeper.deleteUnclaimed({ ref: branch.ref, unclaimedForMs: afterMs }, call)
  }

  return defineAction<Options, { branch: string }>({
    ...declaration,
    driver,
    async provision(call) {
      const ref = refOf(call)
      const source = call.key.resourceId
      const { deploymentId } = call.key
      if (isOwn(ref) || !sharing) await driver.createBranch({ source, ref }, call)
      else {
        const howOnPush = isProtected(ref) ? 'reuse' : onPush
        await sharing.claimBranch({ source, ref, deploymentId, onPush: howOnPush }, call)
      }
      return { branch: ref.name }
    },
    ...(migrate && {
      migrate: (call: ProvisionCall<Options>) =>
        onBranch(branchFor(call), call, (branch, signal) => migrate(branch, { ...call, signal })),
    }),
    ...(ready && {
      ready: (call: ProvisionCall<Options>) =>
        onBranch(branchFor(call), call, (branch, signal) =>
          untilReady(() => ready(branch, { ...call, signal }), { ...call, signal }, PROBE_EVERY_MS),
        ),
    }),
    async outcome(call) {
      return secrets(await driver.openBranch(refOf(call), call))
    },
    async deprovision(call) {
      try {
        await driver.deleteBranch(branchRef(call.key), call)
      } finally {
        if (sharing) {
          const { key, deployment } = call
          const known = deployment && scope === 'git-branch' && sharedBranchOf({ key, deployment })
          await giveUpClaims({ driver, sharing, unclaimedForMs, known: known || undefined }, call)
        }
      }
    },
    async list(call) {
      const branches = await driver.listBranches(call)
      return branches
        .filter(({ ref }) => ref.owner.action === call.action)
        .flatMap((branch) => provisionedBranches(branch, unclaimedForMs))
    },
    sharesGitBranches: scope === 'git-branch',
    nameOf: (call) => refOf(call).name,
    ...(sharing && {
      expire: ({ atOnce, ...call }: ListCall & { name: string; atOnce?: boolean }) =>
        takeAway(sharing, call, { afterMs: atOnce ? 0 : unclaimedForMs }),
      evict: (call: ListCall & { name: string }) =>
        takeAway(sharing, call, { afterMs: 0, unless: isProtected }),
      exclusively: (
        call: ListCall & { place: QuotaPlace },
        work: (signal: AbortSignal) => Promise<void>,
      ) => sharing.exclusively(quotaRef(call), call, work),
    }),
  })
}

/** The name of no branch, under which those who count for a quota wait for one another. */
function quotaRef({ action, place }: { action: string; place: QuotaPlace }): BranchRef {
  const { installationId, resourceId = '' } = place
  // Of a branch that is shared the project is known.
  return sharedBranchRef({ installationId, resourceId, projectId: '', gitBranch: 'quota', action })
}

function cannotShare(driver: ResourceDriver): TypeError {
  return new TypeError(
    `branchDatabase({ scope: 'git-branch' }) is not possible with the driver ${driver.kind}, which cannot keep claims of several deployments on one branch: use scope 'deployment', or another driver`,
  )
}

function keepForMs(text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs !== undefined) return durationMs
  throw new TypeError(
    `branchDatabase({ keepFor }) is ${JSON.stringify(text)}, which is no duration, so nobody knows when a shared branch may go; write '1 hour'`,
  )
}
