import type { z } from 'zod'
import type { ActionKey } from '../domain/action-key.ts'
import { type BranchRef, branchRef, isOwn, sharedBranchRef } from '../domain/branch-ref.ts'
import type { Deployment } from '../domain/deployment.ts'
import { parseDuration } from '../domain/duration.ts'
import type { Secret } from '../domain/secret.ts'
import type {
  BranchConnection,
  BranchRecord,
  BranchSharing,
  ResourceDriver,
} from '../drivers/driver.ts'
import { untilReady } from './check-readiness.ts'
import type { BranchStepCall, Migration } from './migration.ts'
import {
  type ActionDefinition,
  defineAction,
  type DeprovisionCall,
  type Environment,
  type ListCall,
  type ProvisionCall,
  type ProvisionedObject,
} from './define-action.ts'

export interface BranchDatabaseSettings<Options> {
  readonly name: string
  readonly description?: string
  readonly options?: z.ZodType<Options>
  readonly suggest?: readonly Environment[]
  readonly deadline?: string
  readonly driver: ResourceDriver
  /**
   * Who gets a branch: each deployment one of its own, or all deployments of a git branch one together, which lives
   * until the last of them is canceled or removed. Deployments without git get their own. Default `'deployment'`.
   */
  readonly scope?: 'deployment' | 'git-branch'
  /** How long a shared branch stays after its last deployment. Default `'1 hour'`. */
  readonly keepFor?: string
  /**
   * What a further deployment of the git branch finds: what the earlier ones left (`'reuse'`, the default), or a fresh
   * copy of the resource (`'reset'`), which the earlier ones then see too; where the provider refuses that copy, they
   * have no database until the next push.
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

  const refOf = (call: { key: ActionKey; deployment: Deployment }): BranchRef =>
    (scope === 'git-branch' && gitBranchOf(call)) || branchRef(call.key)

  /** Does the step with the branch open, while no other deployment's step works on it. */
  const onBranch = async (
    call: ProvisionCall<Options>,
    step: (branch: BranchConnection, signal: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const ref = refOf(call)
    const work = async (signal: AbortSignal) => {
      const branch = await driver.openBranch(ref, { ...call, signal })
      signal.throwIfAborted()
      await step(branch, signal)
    }
    await (isOwn(ref) || !sharing ? work(call.signal) : sharing.exclusively(ref, call, work))
  }

  return defineAction<Options, { branch: string }>({
    ...declaration,
    driver,
    async provision(call) {
      const ref = refOf(call)
      const source = call.key.resourceId
      const { deploymentId } = call.key
      if (isOwn(ref) || !sharing) await driver.createBranch({ source, ref }, call)
      else await sharing.claimBranch({ source, ref, deploymentId, onPush }, call)
      return { branch: ref.name }
    },
    ...(migrate && {
      migrate: (call: ProvisionCall<Options>) =>
        onBranch(call, (branch, signal) => migrate(branch, { ...call, signal })),
    }),
    ...(ready && {
      ready: (call: ProvisionCall<Options>) =>
        onBranch(call, (branch, signal) =>
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
        if (sharing) await giveUpClaims(sharing, call)
      }
    },
    async list(call) {
      const branches = await driver.listBranches(call)
      return branches
        .filter(({ ref }) => ref.owner.action === call.action)
        .flatMap((branch) => provisionedObjects(branch, unclaimedForMs))
    },
    ...(sharing && {
      async expire({ atOnce, ...call }: ListCall & { name: string; atOnce?: boolean }) {
        const branches = await driver.listBranches(call)
        const branch = branches.find(({ ref }) => ref.name === call.name)
        const forMs = atOnce ? 0 : unclaimedForMs
        return (
          !branch ||
          (await sharing.deleteUnclaimed({ ref: branch.ref, unclaimedForMs: forMs }, call))
        )
      },
    }),
  })

  /**
   * The branch that the deployment shares is known while its run is open. Asking for that one waits for a call that may
   * still put the claim on it; the list finds claims that no history tells of, or of another `scope`, and branches that
   * an earlier try left without a claim.
   */
  async function giveUpClaims(keeper: BranchSharing, call: DeprovisionCall): Promise<void> {
    const { key, deployment } = call
    const { deploymentId } = key
    const known = deployment && scope === 'git-branch' && gitBranchOf({ key, deployment })
    if (known) await keeper.releaseClaim({ ref: known, deploymentId }, call)
    const shared = (await driver.listBranches(call)).filter(
      ({ ref }) => !isOwn(ref) && isForAction(ref, key),
    )
    for (const { ref, claims = [] } of shared)
      if (claims.some((claim) => claim.deploymentId === deploymentId))
        await keeper.releaseClaim({ ref, deploymentId }, call)
    for (const { ref, claims = [], complete } of shared) {
      const ours = claims.some((claim) => claim.deploymentId === deploymentId)
      if (complete && !ours && claims.length > 0) continue
      const gone = await keeper.deleteUnclaimed({ ref, unclaimedForMs }, call)
      // This deployment began to make it anew and did not get to the end, but others were given it.
      if (!gone && !complete) await keeper.restoreBranch({ source: key.resourceId, ref }, call)
    }
  }
}

/** The branch shared by all deployments of the git branch; undefined for a deployment without git. */
function gitBranchOf({
  key: { installationId, resourceId, action },
  deployment: { projectId, gitBranch },
}: {
  key: ActionKey
  deployment: Deployment
}): BranchRef | undefined {
  if (!projectId || !gitBranch) return undefined
  return sharedBranchRef({ installationId, resourceId, projectId, gitBranch, action })
}

function isForAction({ owner }: BranchRef, key: ActionKey): boolean {
  return (
    owner.installationId === key.installationId &&
    owner.resourceId === key.resourceId &&
    owner.action === key.action
  )
}

function provisionedObjects(branch: BranchRecord, unclaimedForMs: number): ProvisionedObject[] {
  const { ref, createdAt, complete, holdpoint, claims = [], unclaimedSince } = branch
  const common = { name: ref.name, complete, ...(holdpoint !== undefined && { holdpoint }) }
  if (isOwn(ref))
    return [{ ...common, owner: ref.owner, ...(createdAt && { sinceMs: createdAt.getTime() }) }]
  const { installationId, resourceId, action } = ref.owner
  if (claims.length === 0) {
    const sinceMs = unclaimedSince?.getTime() ?? createdAt?.getTime() ?? 0
    return [{ ...common, installationId, sinceMs, expiresAtMs: sinceMs + unclaimedForMs }]
  }
  return claims.map(({ deploymentId, claimedAt }) => ({
    ...common,
    owner: { installationId, resourceId, deploymentId, action },
    sinceMs: claimedAt.getTime(),
  }))
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
