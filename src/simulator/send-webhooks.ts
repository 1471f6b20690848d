import { setTimeout as sleep } from 'node:timers/promises'
import type { WebhookEvent } from './build-webhook.ts'
import { describeWebhook } from './describe-webhook.ts'
import type { Dials } from './dials.ts'
import { newId } from './identifiers.ts'
import { describeFetchError, postWebhook } from './post-webhook.ts'
import { signWebhook } from './sign-webhook.ts'
import type { WebhookRecord, WebhookResult } from './timeline.ts'

/** How webhooks are redelivered; Vercel's own backoff is not published. */
export interface RetrySchedule {
  /** The first wait; each further one is twice as long. */
  readonly baseMs: number
  readonly maxDelayMs: number
  /** An event older than this is given up. */
  readonly maxAgeMs: number
  /** How long an answer may take. */
  readonly answerTimeoutMs: number
}

export const DEFAULT_RETRY: RetrySchedule = {
  baseMs: 1_000,
  maxDelayMs: 60 * 60_000,
  maxAgeMs: 24 * 60 * 60_000,
  answerTimeoutMs: 30_000,
}

export interface HeldSelection {
  /** Only this type; all unless said. */
  readonly type?: string
  /** The order in which they are sent; each waits for the answer to the one before. */
  readonly order?: 'as-created' | 'reversed'
}

export interface WebhookSender {
  /** Sends in the background, at once and again until a 2xx, as the dials have it. */
  readonly send: (event: WebhookEvent) => void
  /** Notes an event that Vercel does not send, because the installation is disabled. */
  readonly pause: (event: WebhookEvent) => void
  /** Sends what the dial `holdWebhooks` held back; resolves after the first attempt of each. */
  readonly release: (selection?: HeldSelection) => Promise<void>
  /** Gives up everything and resolves when nothing is under way any more. */
  readonly close: () => Promise<void>
}

export interface SenderDependencies {
  readonly dials: Dials
  readonly retry: RetrySchedule
  readonly closing: AbortSignal
  readonly url: () => string | undefined
  readonly clientSecret: () => string
  readonly now: () => number
  readonly record: (event: WebhookRecord) => void
}

export function createWebhookSender(dependencies: SenderDependencies): WebhookSender {
  const { dials, record, now } = dependencies
  const underway = new Set<Promise<void>>()
  let held: WebhookEvent[] = []

  // Resolves after the first attempt; further attempts go on in the background.
  function deliver(event: WebhookEvent): Promise<void> {
    return new Promise((resolve) => {
      const delivery = deliverUntilAccepted(event, dependencies, resolve).finally(() =>
        underway.delete(delivery),
      )
      underway.add(delivery)
    })
  }

  async function deliverAsDialed(event: WebhookEvent): Promise<void> {
    const copies = [event]
    if (dials.duplicateWebhooks === 'same-id') copies.push(event)
    if (dials.duplicateWebhooks === 'new-id') copies.push({ ...event, id: newId('uev') })
    await Promise.all(copies.map(deliver))
  }

  function recordUnsent(event: WebhookEvent, kind: 'held' | 'dropped' | 'paused'): void {
    record({ ...describeWebhook(event), at: now(), attempt: 0, result: { kind } })
  }

  return {
    send(event) {
      if (dials.dropWebhooks.includes(event.type)) {
        recordUnsent(event, 'dropped')
      } else if (dials.holdWebhooks.includes(event.type)) {
        held.push(event)
        recordUnsent(event, 'held')
      } else {
        void deliverAsDialed(event)
      }
    },
    pause(event) {
      recordUnsent(event, 'paused')
    },
    async release({ type, order = 'as-created' } = {}) {
      const released = held.filter((event) => type === undefined || event.type === type)
      held = held.filter((event) => !released.includes(event))
      if (order === 'reversed') released.reverse()
      for (const event of released) await deliverAsDialed(event)
    },
    async close() {
      held = []
      await Promise.all(underway)
    },
  }
}

async function deliverUntilAccepted(
  event: WebhookEvent,
  { dials, retry, closing, record, now, ...dependencies }: SenderDependencies,
  attempted: () => void,
): Promise<void> {
  const firstAt = now()
  for (let attempt = 1; !closing.aborted; attempt += 1) {
    const sent = attempt > 1 && dials.retryId === 'new' ? { ...event, id: newId('uev') } : event
    const result = await attemptDelivery(sent)
    if (closing.aborted) break
    const retryInMs = nextDelay(result, attempt, now() - firstAt, retry)
    record({
      ...describeWebhook(sent),
      at: now(),
      attempt,
      result,
      ...(retryInMs !== undefined && { retryInMs }),
    })
    attempted()
    if (retryInMs === undefined) return
    await sleep(retryInMs, undefined, { signal: closing }).catch(() => undefined)
  }
  attempted()

  async function attemptDelivery(sent: WebhookEvent): Promise<WebhookResult> {
    const url = dependencies.url()
    if (url === undefined) return { kind: 'unanswered', error: 'no webhook URL is set' }
    const rawBody = JSON.stringify(sent)
    const signature = signWebhook(rawBody, dependencies.clientSecret())
    const startedAt = performance.now()
    const signal = AbortSignal.any([closing, AbortSignal.timeout(retry.answerTimeoutMs)])
    try {
      const { status } = await postWebhook(
        url,
        { rawBody, signature, headers: dials.webhookHeaders },
        signal,
      )
      return {
        kind: 'answered',
        status,
        durationMs: Math.round(performance.now() - startedAt),
      }
    } catch (error) {
      return { kind: 'unanswered', error: describeFetchError(error) }
    }
  }
}

function nextDelay(
  result: WebhookResult,
  attempt: number,
  ageMs: number,
  retry: RetrySchedule,
): number | undefined {
  if (result.kind === 'answered' && result.status >= 200 && result.status < 300) return undefined
  const delayMs = Math.min(retry.baseMs * 2 ** (attempt - 1), retry.maxDelayMs)
  return ageMs + delayMs > retry.maxAgeMs ? undefined : delayMs
}
