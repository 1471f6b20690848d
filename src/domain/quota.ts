import type { ActionKey } from './action-key.ts'
import { matchesAny } from './glob.ts'
import type { FoundObject } from './reconciliation.ts'

/** How much of an action may exist at the same time. */
export interface Quota {
  readonly perResource?: number | undefined
  readonly perInstallation?: number | undefined
  readonly whenFull: 'fail' | 'evict'
}

export interface QuotaFacts {
  readonly quota: Quota
  readonly protectedBranches: readonly string[]
  /** All that the action's `list` tells. */
  readonly objects: readonly FoundObject[]
  readonly wanted: WantedObject
  /** Which Holdpoint asks. */
  readonly holdpoint: string
}

/** What is about to be made or found. */
export interface WantedObject {
  readonly key: ActionKey
  /** As `list` tells it; unset when only its owner is known before. */
  readonly name?: string | undefined
}

export type QuotaJudgement =
  | { readonly kind: 'room' }
  | {
      readonly kind: 'full'
      /** For the developer whose build is held. */
      readonly because: string
      /** What may go to make room, the first one first: needed by nobody, ours, of no protected git branch. */
      readonly evictable: readonly string[]
    }

/** Whether this is there for the key. */
export function isMadeFor(key: ActionKey, { owner }: FoundObject): boolean {
  return (
    owner?.deploymentId === key.deploymentId &&
    owner.resourceId === key.resourceId &&
    owner.installationId === key.installationId
  )
}

/**
 * Judges whether one more may be made. What several deployments share counts once, what nobody needs any more and
 * what another Holdpoint made counts too, and so does what is only half made.
 */
export function judgeQuota(facts: QuotaFacts): QuotaJudgement {
  const { quota, objects, wanted } = facts
  const { key, name } = wanted
  // To make it again, or to share it, takes no room.
  if (objects.some((object) => object.name === name || isMadeFor(key, object)))
    return { kind: 'room' }
  const { installationId, resourceId } = key
  const ofInstallation = objects.filter(
    ({ owner, resource }) => (owner ?? resource)?.installationId === installationId,
  )
  const ofResource = ofInstallation.filter(
    ({ owner, resource }) => (owner ?? resource)?.resourceId === resourceId,
  )
  return (
    fullBy(facts, { limit: quota.perResource, counted: ofResource, whose: 'the resource' }) ??
    fullBy(facts, {
      limit: quota.perInstallation,
      counted: ofInstallation,
      whose: 'all resources together',
    }) ?? { kind: 'room' }
  )
}

function fullBy(
  { holdpoint, protectedBranches }: QuotaFacts,
  {
    limit = Infinity,
    counted,
    whose,
  }: { limit: number | undefined; counted: readonly FoundObject[]; whose: string },
): QuotaJudgement | undefined {
  const { size } = new Set(counted.map(({ name }) => name))
  if (size < limit) return undefined
  const unneeded = counted.filter(
    ({ owner, holdpoint: maker, gitBranch }) =>
      !owner &&
      maker === holdpoint &&
      (gitBranch === undefined || !matchesAny(protectedBranches, gitBranch)),
  )
  return {
    kind: 'full',
    because: `The action has made ${size} for ${whose} and may make ${limit}, so nothing was made for this deployment: delete deployments that are no longer needed, or ask the provider for a larger quota.`,
    evictable: unneeded
      .sort((one, other) => (one.sinceMs ?? 0) - (other.sinceMs ?? 0))
      .map(({ name }) => name),
  }
}
