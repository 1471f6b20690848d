import type { Wish } from './action-event.ts'
import { workflowId } from './workflow-id.ts'

/** The identity of one run of a check on one deployment. */
export interface CheckRunKey {
  /** The installation that registered the check, `icfg_…`. */
  readonly installationId: string
  readonly deploymentId: string
  /** Vercel's id of the run; with the Checks API v1, which has no runs, of the check. */
  readonly checkRunId: string
}

/** The workflow id of a check run; see `workflowId`. A check that was registered twice has two runs, each with its own. */
export function checkRunWorkflowId(key: CheckRunKey): string {
  return workflowId('check-run', key.installationId, key.deploymentId, key.checkRunId)
}

/** What Vercel wants of a check run. They join as the wishes of an action: `canceled` wins, whenever it arrives. */
export type CheckWish = Exclude<Wish, 'cleaned'>

/** A `deployment.checkrun.start` or `.cancel` webhook, read and checked. */
export interface CheckRunEvent {
  readonly key: CheckRunKey
  readonly wish: CheckWish
  /** See `ActionEvent`. */
  readonly deliveryId: string
  /** When Vercel generated the event, in milliseconds since 1970. */
  readonly occurredAt: number
  readonly teamId?: string
  /** The provider's id of the resource that the check was registered for, where the event tells. */
  readonly resourceId?: string
  /** Of the check, where the event tells. */
  readonly name?: string
  /** How long the run may take by Vercel's reckoning, where the event tells; see `checkDeadlineAt` on its unit. */
  readonly timeoutSeconds?: number
}

/** What a check run's workflow is started with. */
export type CheckRunRequest = Omit<CheckRunEvent, 'wish' | 'deliveryId'>

/** How a check run may end, in Vercel's words. */
export type CheckConclusion =
  'succeeded' | 'failed' | 'neutral' | 'skipped' | 'canceled' | 'timeout'

/** What Vercel is told at the end of a check run. Workflow data: kept in Temporal's history, so no secret may be in it. */
export interface CheckVerdict {
  readonly conclusion: CheckConclusion
  /** One sentence or two for whoever reads the check in Vercel's dashboard. */
  readonly text?: string
  /** Where to read more: an `https:` address, or an `sso:` path of the provider's own pages. */
  readonly externalUrl?: string
  readonly output?: Readonly<Record<string, unknown>>
}

/** How a run of a check's workflow ended. */
export interface CheckRunEnd {
  /** `over`: Vercel has ended the run by itself, or there is nothing to conclude. */
  readonly phase: CheckConclusion | 'over'
  /** One sentence for whoever opens the run in the Web UI. */
  readonly because: string
}

/** What Vercel gives a check that declares no timeout. */
export const DEFAULT_CHECK_TIMEOUT_MS = 300_000

/** What of a check's time is left for the check when its conclusion is to arrive in time, in milliseconds. */
export function withoutMargin(timeoutMs: number): number {
  return timeoutMs - Math.min(30_000, timeoutMs / 4)
}

/**
 * When a check must have been concluded, in milliseconds since 1970: `deadlineMs` after the run began at Vercel, and
 * before it gets stale there. One that was delivered later than that has its full time all the same, since Vercel
 * still shows it as open.
 *
 * Vercel does not publish the unit of its timeout. Read as seconds, a number of milliseconds is merely no limit, and
 * the check's own deadline holds.
 */
export function checkDeadlineAt({
  occurredAt,
  now,
  deadlineMs,
  timeoutSeconds,
}: {
  occurredAt: number
  now: number
  deadlineMs: number
  timeoutSeconds?: number | undefined
}): number {
  const allowedMs = timeoutSeconds === undefined ? deadlineMs : withoutMargin(timeoutSeconds * 1000)
  const takesMs = Math.min(deadlineMs, allowedMs)
  // Clocks differ.
  const dueAt = Math.min(occurredAt, now) + takesMs
  return dueAt > now ? dueAt : now + takesMs
}
