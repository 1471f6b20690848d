import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import type { Context, Next } from 'hono'
import { createFaultChooser, type FaultAnswer, type RequestKind } from './choose-fault.ts'
import type { Dials } from './dials.ts'
import type { Installation } from './project.ts'
import type { RequestRecord } from './timeline.ts'

export interface ApiEnvironment {
  Bindings: HttpBindings
  Variables: { installation: Installation }
}

/** Records every request of the API with its answer, and plays the latency and the faults the dials ask for. */
export function observeRequests({
  dials,
  now,
  record,
}: {
  readonly dials: Dials
  readonly now: () => number
  readonly record: (event: RequestRecord) => void
}) {
  const chooseFault = createFaultChooser(dials)

  return async function observeRequest(c: Context<ApiEnvironment>, next: Next) {
    const url = new URL(c.req.url)
    const body =
      c.req.method === 'GET' || c.req.method === 'DELETE'
        ? undefined
        : parseJson(await c.req.text())
    const deploymentId = deploymentIdOf(url.pathname)
    const status = statusOf(body)
    if (dials.latencyMs > 0) await sleep(dials.latencyMs)
    const fault = chooseFault({
      kind: requestKind(c.req.method, url.pathname),
      method: c.req.method,
      ...(status !== undefined && { status }),
      ...(deploymentId !== undefined && { deploymentId }),
    })
    const answered = await answerWith(fault, c, next)
    record({
      kind: 'request',
      at: now(),
      method: c.req.method,
      path: url.pathname + url.search,
      ...(deploymentId !== undefined && { deploymentId }),
      ...(answered !== undefined && { status: answered }),
      ...(fault !== undefined && { fault }),
      ...(body !== undefined && { body }),
    })
  }
}

async function answerWith(
  fault: FaultAnswer | undefined,
  c: Context<ApiEnvironment>,
  next: Next,
): Promise<number | undefined> {
  if (fault === undefined) {
    await next()
    return c.res.status
  }
  if (fault === 'cut-before') {
    cutConnection(c)
    return undefined
  }
  if (fault === 'cut-after') {
    await next()
    const { status } = c.res
    cutConnection(c)
    return status
  }
  if (fault === 'no-answer') {
    await new Promise((resolve) => c.env.outgoing.once('close', resolve))
    cutConnection(c)
    return undefined
  }
  const body = fault.body ?? {
    error: {
      code: faultCode(fault.status),
      message: 'The simulator was told to fail this request',
    },
  }
  const headers = { 'content-type': 'application/json', ...fault.headers }
  c.res = new Response(JSON.stringify(body), { status: fault.status, headers })
  return fault.status
}

// The header tells the server adapter that nothing is left to be written.
function cutConnection(c: Context<ApiEnvironment>): void {
  c.env.outgoing.destroy()
  c.res = undefined
  c.res = new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
}

function faultCode(status: number): string {
  switch (status) {
    case 400:
      return 'bad_request'
    case 401:
    case 403:
      return 'forbidden'
    case 404:
      return 'not_found'
    case 429:
      return 'rate_limited'
    default:
      return 'internal_server_error'
  }
}

function requestKind(method: string, path: string): RequestKind {
  if (path.includes('/check-runs')) return 'check-run'
  if (/\/checks(\/|$)/.test(path)) return 'check'
  if (path.startsWith('/v1/installations/'))
    return path.includes('/resources') ? 'resource' : 'installation'
  return method === 'PATCH' ? 'patch' : 'get'
}

function deploymentIdOf(path: string): string | undefined {
  return /^\/v\d+\/deployments\/([^/]+)/.exec(path)?.[1]
}

function statusOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('status' in body)) return undefined
  return typeof body.status === 'string' ? body.status : undefined
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}
