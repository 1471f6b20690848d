import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface LossyDoor {
  readonly url: string
  close(): Promise<void>
}

/** Passes every webhook on, and loses the first answer to each event: the sender sees 503 and delivers again. */
export async function loseWebhookAnswers(door: string): Promise<LossyDoor> {
  const seen = new Set<string>()
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request)
    const answer = await fetch(door, {
      method: 'POST',
      headers: { 'x-vercel-signature': String(request.headers['x-vercel-signature']) },
      body,
    })
    const { type, payload } = JSON.parse(body.toString())
    const event = JSON.stringify([type, payload])
    response.writeHead(seen.has(event) ? answer.status : 503).end()
    seen.add(event)
  }
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
