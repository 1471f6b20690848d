import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders
  readonly rawBody: Buffer
  readonly event: {
    readonly id: string
    readonly type: string
    readonly createdAt: number
    readonly payload: Record<string, unknown>
    readonly region?: string | null
  }
}

/** A provider's webhook address: notes everything, and answers as `answer` says. Ends with the test. */
export async function receiveWebhooks(
  answer: (response: ServerResponse, count: number) => void = (response) =>
    response.writeHead(202).end(),
) {
  const received: ReceivedWebhook[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const rawBody = Buffer.concat(chunks)
      received.push({ headers: request.headers, rawBody, event: JSON.parse(rawBody.toString()) })
      answer(response, received.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The receiver has no port')
  return { url: `http://127.0.0.1:${address.port}/webhooks/vercel`, received }
}
