import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ComputeGateway, openGateway } from './compute-gateway.ts'
import { answerRequest, type FakeAnswer, type FakeSettings, refusal } from './fake-neon-routes.ts'
import { FakeNeonState } from './fake-neon-state.ts'

export const API_KEY = 'napi_0123456789abcdefghijklmnopqrstuvwxyz'

/** What happens to a request instead of the usual. */
export interface Fault {
  /** Method and path, as in `POST /projects/x/branches`. */
  readonly on: RegExp
  /** Default: 1. */
  readonly times?: number
  /**
   * This answer; or none, because the request never came or its answer was lost; or the usual one half a second later,
   * `late` when the connection is broken by then.
   */
  readonly gives: FakeAnswer | 'not heard' | 'lost' | 'slow' | 'late'
}

export interface HeardRequest {
  readonly line: string
  readonly body: unknown
  readonly headers: IncomingMessage['headers']
}

/** A Neon of our own: its public API on loopback, with a real Postgres behind. */
export interface FakeNeon {
  readonly url: string
  readonly state: FakeNeonState
  readonly settings: FakeSettings
  readonly direct: ComputeGateway
  readonly pooler: ComputeGateway
  fault(fault: Fault): void
  /** All requests so far. */
  heard(): readonly HeardRequest[]
  /** Another way in, where the answer to the `nth` request is lost. */
  openLossyDoor(nth: number): Promise<Door>
  close(): Promise<void>
}

export interface Door {
  readonly url: string
  hasLost(): boolean
  close(): Promise<void>
}

export async function startFakeNeon(postgresUrl: string): Promise<FakeNeon> {
  const state = new FakeNeonState(postgresUrl)
  const [direct, pooler] = await Promise.all([openGateway(postgresUrl), openGateway(postgresUrl)])
  const settings: FakeSettings = {
    state,
    largestPage: 10_000,
    locks: 'branch',
    addressOf: (pooled) => `127.0.0.1:${(pooled ? pooler : direct).port}`,
  }
  const heard: HeardRequest[] = []
  const faults: { fault: Fault; left: number }[] = []

  const takeFault = (line: string): Fault['gives'] | undefined => {
    const found = faults.find(({ fault, left }) => left > 0 && fault.on.test(line))
    if (found) found.left -= 1
    return found?.fault.gives
  }

  /** Answers, unless `isLost` says of the request that its answer is. */
  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    isLost: () => boolean,
  ): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://neon')
    const line = `${request.method} ${url.pathname}`
    const text = await textOf(request)
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    heard.push({ line, body, headers: request.headers })
    const lost = isLost()
    const fault = takeFault(line)
    if (fault === 'late') request.socket.destroy()
    if (fault === 'late' || fault === 'slow') await sleep(500)
    if (fault === 'not heard') return void request.socket.destroy()
    if (typeof fault === 'object') return send(response, fault)
    const isAllowed = request.headers.authorization === `Bearer ${API_KEY}`
    const answer = isAllowed
      ? answerRequest(settings, { method: request.method ?? '', url, body })
      : refusal(401, 'This request requires authentication.')
    if (lost || fault === 'lost') return void request.socket.destroy()
    if (fault !== 'late') send(response, answer)
  }

  const listen = async (isLost: () => boolean) => {
    const server = createServer((request, response) => {
      serve(request, response, isLost).catch((error: unknown) => {
        send(response, refusal(500, String(error)))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, close: async () => closeServer(server) }
  }

  const main = await listen(() => false)
  return {
    url: main.url,
    state,
    settings,
    direct,
    pooler,
    fault: (fault) => faults.push({ fault, left: fault.times ?? 1 }),
    heard: () => heard,
    async openLossyDoor(nth) {
      let count = 0
      const door = await listen(() => (count += 1) === nth)
      return { ...door, hasLost: () => count >= nth }
    },
    async close() {
      for (const id of state.projects.keys()) await state.deleteProject(id)
      await Promise.all([main.close(), direct.close(), pooler.close()])
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, { status, body, headers }: FakeAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}
