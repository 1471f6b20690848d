import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequestCounter, type RateLimit } from '../../src/simulator/count-requests.ts'
import { waitingDeployment } from './waiting-deployment.ts'

/** A terminal status, and when its 202 was written, as `performance.now()`. */
export interface Accepted {
  readonly status: string
  readonly at: number
}

/**
 * As much of Vercel's API as a provider's action calls, and as little work as possible: it shares its process and its
 * clock with the load, and must not be what is measured. Every deployment that is asked for exists and waits.
 */
export interface FakeVercel {
  readonly url: string
  /** How long each answer is held back, in milliseconds. */
  latencyMs: number
  /** For the updates of each installation; undefined lifts it. */
  updateLimit: RateLimit | undefined
  /** Resolves with the terminal status of the deployment's action that is accepted first. */
  ended(deploymentId: string): Promise<Accepted>
  /** How many calls were answered, and how many of these with 429. */
  readonly calls: { total: number; refused: number }
  /** Forgets all deployments and counts; lifts the limit. */
  reset(): void
  close(): Promise<void>
}

export async function startFakeVercel(): Promise<FakeVercel> {
  const waiting = new Map<string, (accepted: Accepted) => void>()
  let countUpdate = createRequestCounter(Date.now)

  const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const [, version, kind, id = '', , installationId = ''] = (request.url ?? '').split('/')
    vercel.calls.total += 1
    if (request.method === 'GET' && version === 'v13' && kind === 'deployments') {
      return send(response, 200, waitingDeployment(id.split('?')[0] ?? ''))
    }
    if (request.method === 'GET') return send(response, 200, '{"metadata":{}}')
    const reading = vercel.updateLimit && countUpdate(installationId, vercel.updateLimit)
    if (reading?.exceeded) {
      vercel.calls.refused += 1
      return refuse(response, reading)
    }
    const { status } = JSON.parse(body) as { status: string }
    const accepted = { status, at: performance.now() }
    response.writeHead(202).end()
    if (status !== 'running') waiting.get(id)?.(accepted)
  }

  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (vercel.latencyMs === 0) answer(request, response, body)
      else setTimeout(answer, vercel.latencyMs, request, response, body)
    })
  })
  // Peers keep their connections over pauses of the measurement, as they would to the real one.
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const vercel: FakeVercel = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    latencyMs: 0,
    updateLimit: undefined,
    ended: (id) => new Promise((resolve) => waiting.set(id, resolve)),
    calls: { total: 0, refused: 0 },
    reset() {
      waiting.clear()
      countUpdate = createRequestCounter(Date.now)
      vercel.updateLimit = undefined
      vercel.calls.total = 0
      vercel.calls.refused = 0
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return vercel
}

function refuse(
  response: ServerResponse,
  { total, remaining, resetMs }: { total: number; remaining: number; resetMs: number },
): void {
  const reset = Math.ceil(resetMs / 1000)
  response.setHeader('X-RateLimit-Limit', total)
  response.setHeader('X-RateLimit-Remaining', remaining)
  response.setHeader('X-RateLimit-Reset', reset)
  response.setHeader('Retry-After', Math.max(1, Math.ceil((resetMs - Date.now()) / 1000)))
  const limit = { total, remaining, reset }
  send(response, 429, JSON.stringify({ error: { code: 'rate_limited', limit } }))
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}
