import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { VercelConnection } from '../../src/vercel/client.ts'

export const TOKEN = 'token-that-nobody-may-read'

export interface ReceivedRequest {
  readonly method: string
  /** As it came over the wire: path and query, still encoded. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Decides on the answer of one request; leaves it open when it does nothing. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void

/** Runs an HTTP server until the test ends, and answers what it received and a connection to it. */
export async function smallServer(answer: Answer = json(200, {})) {
  const received: ReceivedRequest[] = []
  let connections = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: target = '', headers } = request
      const whole = { method, target, headers, body: Buffer.concat(chunks).toString() }
      received.push(whole)
      answer(response, whole)
    })
  })
  server.on('connection', () => void connections++)
  const url = await listening(server)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { received, connections: () => connections, url, connection: connectionTo(url) }
}

export function connectionTo(baseUrl: string, timeoutMs = 2000): VercelConnection {
  return { baseUrl, timeoutMs, accessToken: () => Promise.resolve(TOKEN) }
}

/** Answers with this status, these headers and this as JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(body === undefined ? '' : JSON.stringify(body))
}

/** An address where nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer()
  const url = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  return url
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
