import type { ActionKey } from './action-key.ts'

/** What a run of an action is started with. Workflow data: kept in Temporal's history, so no secret may be in it. */
export interface ActionRequest {
  readonly key: ActionKey
  readonly teamId?: string
  /** Option values that came with the event. */
  readonly options?: Record<string, unknown>
  /** How long the action may take, from its start until the outcome is sent. */
  readonly deadlineMs: number
  /** How long it may take before `running` is reported; null means never. */
  readonly reportRunningAfterMs: number | null
  /** What the process that accepted the start has begun for it; see `HeadStarts`. Unset: nothing. */
  readonly headStart?: string
  /** Set where an earlier run of the key may have reported an outcome: a build may use what it made. */
  readonly resumed?: true
}

/** Where a run stands once there is more to tell than that it is at work. */
export type ActionPhase = 'undoing' | 'succeeded' | 'failed' | 'canceled' | 'cleaned' | 'skipped'

/** How a run that did not fail ended. */
export interface ActionEnd {
  readonly phase: ActionPhase
  /** One sentence for whoever opens the run in the Web UI. */
  readonly because: string
}
