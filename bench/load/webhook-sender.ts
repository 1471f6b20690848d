import { Agent, request } from 'node:http'
import { signWebhook } from '../../src/simulator/sign-webhook.ts'

/** Posts webhooks on connections that are kept, as Vercel does. */
export interface WebhookSender {
  sign(body: string): string
  /** Resolves at a 2xx. Rejects at any other answer, and when there is none within 30 seconds. */
  post(body: string, signature: string): Promise<void>
  close(): void
}

const ANSWER_WITHIN_MS = 30_000

export function webhookSender(url: string, clientSecret: string): WebhookSender {
  const agent = new Agent({ keepAlive: true, scheduling: 'lifo' })
  const post = (body: string, signature: string) =>
    new Promise<void>((resolve, reject) => {
      const posting = request(
        url,
        {
          method: 'POST',
          agent,
          timeout: ANSWER_WITHIN_MS,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'x-vercel-signature': signature,
          },
        },
        (response) => {
          const { statusCode = 0 } = response
          response.resume()
          response.once('error', reject)
          response.once('end', () => {
            if (statusCode >= 200 && statusCode < 300) resolve()
            else reject(new Error(`${url} answered ${statusCode} to a webhook`))
          })
        },
      )
      posting.once('timeout', () =>
        posting.destroy(new Error(`${url} did not answer a webhook within 30 s`)),
      )
      posting.once('error', reject)
      posting.end(body)
    })
  return {
    sign: (body) => signWebhook(body, clientSecret),
    post,
    close: () => agent.destroy(),
  }
}
