import type { FaultAnswer } from './choose-fault.ts'

/** Everything that was seen, in the order in which it was over. */
export type TimelineEvent =
  WebhookRecord | RequestRecord | PartnerRecord | DeploymentRecord | ResourceRecord

/** One attempt to send a webhook, or the decision not to. */
export interface WebhookRecord {
  readonly kind: 'webhook'
  readonly at: number
  readonly type: string
  readonly id: string
  /** From 1; 0 when nothing was sent. */
  readonly attempt: number
  readonly deploymentId?: string
  readonly resourceId?: string
  readonly action?: string
  readonly checkRunId?: string
  readonly result: WebhookResult
  /** When the next attempt comes; unset when there is none. */
  readonly retryInMs?: number
}

export type WebhookResult =
  | { readonly kind: 'answered'; readonly status: number; readonly durationMs: number }
  | { readonly kind: 'unanswered'; readonly error: string }
  | { readonly kind: 'held' | 'dropped' | 'paused' }

/** One request to the API. The body of an update holds secrets: for assertions, not for logs. */
export interface RequestRecord {
  readonly kind: 'request'
  readonly at: number
  readonly method: string
  /** With its query, as it came. */
  readonly path: string
  readonly deploymentId?: string
  /** The status that was answered; after `cut-after` nobody saw it. */
  readonly status?: number
  readonly fault?: FaultAnswer
  readonly body?: unknown
}

/** One call to the provider's partner API. It has no bodies, which hold secrets. */
export interface PartnerRecord {
  readonly kind: 'partner'
  readonly at: number
  readonly method: string
  readonly path: string
  readonly installationId: string
  /** Of every call that changes something. */
  readonly idempotencyKey?: string
  readonly status?: number
  /** The answer was lost, as the dial `losePartnerAnswers` says: the call is made once more. */
  readonly lost?: boolean
  /** What the provider refused with, or what is wrong with its answer. */
  readonly error?: string
}

/** A resource changed. */
export interface ResourceRecord {
  readonly kind: 'resource'
  readonly at: number
  readonly installationId: string
  readonly resourceId: string
  readonly change: ResourceChange
}

export type ResourceChange = 'provisioned' | 'updated' | 'transferred' | 'deleted'

/** A deployment, one of its actions or one of its check runs changed. */
export interface DeploymentRecord {
  readonly kind: 'deployment'
  readonly at: number
  readonly deploymentId: string
  readonly projectName: string
  readonly change: DeploymentChange
  readonly resourceId?: string
  readonly action?: string
  readonly checkRunId?: string
  /** Of a check of v1. */
  readonly checkId?: string
  /** The name of the check. */
  readonly check?: string
  /** A sentence for people; the action's or check's own text where there is one. */
  readonly text?: string
}

export type DeploymentChange =
  | 'created'
  | 'action-running'
  | 'action-succeeded'
  | 'action-failed'
  | 'action-described'
  | 'action-canceled'
  | 'check-queued'
  | 'check-running'
  | 'check-completed'
  | 'check-canceled'
  | 'check-timed-out'
  | 'check-rerequested'
  | 'build-started'
  | 'ready'
  | 'failed'
  | 'canceled'
  | 'skipped'
  | 'timed-out'
  | 'removed'
  | 'restored'
  | 'purged'

// Enough for any test or afternoon of development; the oldest go first.
const MAX_RECORDS = 100_000

export interface Timeline {
  readonly records: readonly TimelineEvent[]
  readonly record: (event: TimelineEvent) => void
  /** Calls the listener after each event, until the returned function is called. */
  readonly subscribe: (listener: (event: TimelineEvent) => void) => () => void
}

export function createTimeline(): Timeline {
  const records: TimelineEvent[] = []
  const listeners = new Set<(event: TimelineEvent) => void>()
  return {
    records,
    record(event) {
      records.push(event)
      if (records.length > MAX_RECORDS) records.splice(0, MAX_RECORDS / 10)
      for (const listener of listeners) listener(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
