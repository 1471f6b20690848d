import { buildWebhook } from './build-webhook.ts'
import type { Dials } from './dials.ts'
import { describeFetchError, postWebhook, type WebhookAnswer } from './post-webhook.ts'
import { describeWebhook } from './describe-webhook.ts'
import { signWebhook } from './sign-webhook.ts'
import type { RawWebhook } from './simulator.ts'
import type { WebhookRecord } from './timeline.ts'

/** Sends one webhook exactly as told, once, and records it. Rejects when no answer comes. */
export async function sendRawWebhook(
  webhook: RawWebhook,
  target: {
    readonly url: string | undefined
    readonly clientSecret: string
    readonly answerTimeoutMs: number
    readonly closing: AbortSignal
    readonly dials: Dials
    readonly now: () => number
    readonly record: (event: WebhookRecord) => void
  },
): Promise<WebhookAnswer> {
  const { url, now, record } = target
  if (url === undefined) throw new Error('No webhook URL is set: set webhookUrl first')
  const { id, createdAt, region, extraKeys } = webhook
  const event = {
    ...buildWebhook(webhook, createdAt ?? now(), target.dials),
    ...(id !== undefined && { id }),
    ...(region !== undefined && { region }),
    ...extraKeys,
  }
  const rawBody = webhook.rawBody ?? JSON.stringify(event)
  const signature =
    webhook.signature === undefined
      ? signWebhook(rawBody, webhook.signedWith ?? target.clientSecret)
      : webhook.signature
  const signal = AbortSignal.any([target.closing, AbortSignal.timeout(target.answerTimeoutMs)])
  const startedAt = performance.now()
  try {
    const headers = target.dials.webhookHeaders
    const answer = await postWebhook(url, { rawBody, signature, headers }, signal)
    const durationMs = Math.round(performance.now() - startedAt)
    const result = { kind: 'answered', status: answer.status, durationMs } as const
    record({ ...describeWebhook(event), at: now(), attempt: 1, result })
    return answer
  } catch (error) {
    const result = { kind: 'unanswered', error: describeFetchError(error) } as const
    record({ ...describeWebhook(event), at: now(), attempt: 1, result })
    throw error
  }
}
