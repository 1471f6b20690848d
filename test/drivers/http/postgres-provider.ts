import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ActionKey } from '../../../src/domain/action-key.ts'
import { ActionFailure } from '../../../src/domain/failure.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { sameOwner } from '../../../src/domain/branch-ref.ts'
import { signRequest } from '../../../src/signing/sign-request.ts'
import { postgres } from '../../../src/drivers/postgres/driver.ts'
import { listBranches } from '../../../src/drivers/postgres/list-branches.ts'
import { verifyHttpDriverRequest } from '../../../src/index.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import { remainsOf, sql } from '../postgres-under-test.ts'

export const PROVIDER_SECRET = 'a-secret-that-no-error-may-ever-tell'

export interface PostgresProviderSettings {
  /** How long a PUT or DELETE waits for its work before it is answered 202, in milliseconds. */
  readonly patienceMs?: number
  /** What each answer says of when to look again. */
  readonly retryAfter?: string
  /** Whether it calls back where a PUT asks for it. */
  readonly callsBack?: boolean
}

export interface PostgresProvider {
  readonly url: string
  /** What it was asked, as `GET /branches/x`. */
  readonly requests: readonly string[]
  /** Another base URL, whose `nth` request is done and not answered. */
  losing(nth: number): { readonly url: string; readonly hasLost: () => boolean }
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body?: unknown
}

interface Work {
  readonly kind: 'making' | 'deleting'
  readonly owner: ActionKey
  readonly stop: AbortController
  readonly done: Promise<void>
}

interface Asked {
  readonly owner: ActionKey
  readonly source: string
  readonly holdpoint: string
  readonly fence: string
  readonly callback?: string
}

const PAGE_SIZE = 10

/** A provider as docs/http-driver.md describes it, whose branches are databases of a real Postgres. */
export async function startPostgresProvider(
  postgresUrl: string,
  { patienceMs = 40, retryAfter = '0', callsBack = true }: PostgresProviderSettings = {},
): Promise<PostgresProvider> {
  const backing = postgres({ server: postgresUrl })
  const requests: string[] = []
  const fences = new Map<string, number>()
  const works = new Map<string, Work>()
  const failures = new Map<string, { owner: ActionKey; error: ActionFailure }>()
  const queues = new Map<string, Promise<unknown>>()
  const losses = new Map<string, { nth: number; seen: number; lost: boolean }>()
  const call = (changes: Parameters<typeof driverCall>[0] = {}) =>
    driverCall({ key: 'a key of the provider', ...changes })

  const fenceOf = (name: string) => String(fences.get(name) ?? 0)

  /** Decides on one request for the name at a time. The work itself goes on after that. */
  const alone = async <Result>(name: string, decide: () => Promise<Result>): Promise<Result> => {
    const result = (queues.get(name) ?? Promise.resolve()).then(decide)
    queues.set(
      name,
      result.catch(() => {}),
    )
    return await result
  }

  const allBranches = () =>
    listBranches({
      version: 0,
      lost: new AbortController().signal,
      query: (text, values) => sql(postgresUrl, text, values),
    })

  async function look(name: string) {
    const fence = fenceOf(name)
    const work = works.get(name)
    if (work) return { state: work.kind, owner: work.owner, fence }
    const record = (await allBranches()).find(({ ref }) => ref.name === name)
    const strange = record ? [] : await remainsOf(postgresUrl, name)
    const failure = failures.get(name)
    const error = failure && describe(failure.error)
    if (record)
      return record.complete
        ? { state: 'complete', owner: record.ref.owner, fence }
        : { state: 'failed', owner: record.ref.owner, fence, error }
    if (strange.some((what) => what !== 'session')) return { state: 'complete', fence }
    return failure
      ? { state: 'failed', owner: failure.owner, fence, error }
      : { state: 'absent', fence }
  }

  function begin(
    name: string,
    { kind, owner }: Pick<Work, 'kind' | 'owner'>,
    act: (signal: AbortSignal) => Promise<void>,
  ): Work {
    const stop = new AbortController()
    failures.delete(name)
    const work: Work = {
      kind,
      owner,
      stop,
      done: act(stop.signal)
        .catch((error: unknown) => {
          if (!(error instanceof ActionFailure)) throw error
          failures.set(name, { owner, error })
        })
        .finally(() => {
          if (works.get(name) === work) works.delete(name)
        }),
    }
    work.done.catch(() => {})
    works.set(name, work)
    return work
  }

  /** Waits for the work, not for long. */
  async function awaited(name: string, work: Work, done: number): Promise<Answer> {
    await Promise.race([work.done, sleep(patienceMs)])
    if (works.has(name)) return { status: 202, body: { state: work.kind } }
    const failure = failures.get(name)
    return failure ? refusal(failure.error) : { status: done }
  }

  async function make(name: string, asked: Asked, isGone: () => boolean): Promise<Answer> {
    const { owner, source, holdpoint } = asked
    const decision = await alone(name, async () => {
      const found = await look(name)
      if (isGone()) return { status: 503 }
      if (isForeign(found, owner)) return refuse(409, 'branch_owner_mismatch')
      if (asked.fence !== fenceOf(name)) return refuse(409, 'fence_changed')
      if (found.state === 'deleting') return refuse(409, 'branch_busy')
      if (found.state === 'complete') return { status: 200 }
      const running = works.get(name)
      if (running) return running
      const making = begin(name, { kind: 'making', owner }, (signal) =>
        backing.createBranch({ source, ref: { name, owner } }, call({ holdpoint, signal })),
      )
      if (callsBack) making.done.then(() => sayNews(asked, name)).catch(() => {})
      return making
    })
    return 'done' in decision ? await awaited(name, decision, 200) : decision
  }

  async function remove(name: string, owner: ActionKey, isGone: () => boolean): Promise<Answer> {
    const decision = await alone(name, async () => {
      const found = await look(name)
      if (isGone()) return { status: 503 }
      if (isForeign(found, owner)) return refuse(409, 'branch_owner_mismatch')
      fences.set(name, (fences.get(name) ?? 0) + 1)
      const running = works.get(name)
      if (running?.kind === 'deleting') return running
      if (found.state === 'absent') return { status: 204 }
      running?.stop.abort(stopped())
      return begin(name, { kind: 'deleting', owner }, async () => {
        await running?.done.catch(() => {})
        failures.delete(name)
        await backing.deleteBranch({ name, owner }, call())
      })
    })
    return 'done' in decision ? await awaited(name, decision, 204) : decision
  }

  async function open(name: string, owner: ActionKey): Promise<Answer> {
    if (works.has(name)) return refuse(409, 'branch_incomplete')
    const { url, password, ...place } = await backing.openBranch({ name, owner }, call())
    return { status: 200, body: { ...place, url: url.reveal(), password: password.reveal() } }
  }

  async function list(cursor: string): Promise<Answer> {
    const records = (await allBranches()).filter(({ ref }) => ref.name > cursor)
    const page = records.slice(0, PAGE_SIZE)
    const branches = page.map(({ ref, complete, ...record }) => ({
      ...ref,
      ...record,
      state: works.get(ref.name)?.kind ?? (complete ? 'complete' : 'failed'),
    }))
    const next = records.length > page.length ? page.at(-1)?.ref.name : undefined
    return { status: 200, body: { branches, next } }
  }

  async function answer(request: IncomingMessage, isGone: () => boolean): Promise<Answer> {
    const { method = '', url = '', headers } = request
    const body = Buffer.concat((await request.toArray()) as Buffer[])
    if (!verifyHttpDriverRequest({ method, path: url, headers, body }, { secret: PROVIDER_SECRET }))
      return refuse(401, 'signature_invalid')
    const { pathname, searchParams } = new URL(url, 'http://provider')
    const [, , , part, verb] = pathname.split('/')
    requests.push(`${method} ${pathname.replace(/^\/[^/]+/, '')}`)
    if (part === undefined) return await list(searchParams.get('cursor') ?? '')
    const name = decodeURIComponent(part)
    if (method === 'GET') return { status: 200, body: await alone(name, () => look(name)) }
    const asked = JSON.parse(body.toString()) as Asked
    if (method === 'PUT') return await make(name, asked, isGone)
    if (method === 'DELETE') return await remove(name, asked.owner, isGone)
    return method === 'POST' && verb === 'open'
      ? await open(name, asked.owner)
      : refuse(405, 'method')
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const loss = losses.get(request.url?.split('/')[1] ?? '')
    const isLost = loss !== undefined && ++loss.seen === loss.nth
    const { status, body } = await answer(request, () => request.socket.destroyed).catch(
      (error: unknown) =>
        error instanceof ActionFailure ? refusal(error) : refuse(500, 'unforeseen'),
    )
    if (isLost) {
      loss.lost = true
      request.socket.destroy()
      return
    }
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': retryAfter })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }

  const server = createServer((request, response) => {
    respond(request, response).catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url: `${origin}/v1`,
    requests,
    losing(nth) {
      const loss = { nth, seen: 0, lost: false }
      const base = `losing-${losses.size}`
      losses.set(base, loss)
      return { url: `${origin}/${base}`, hasLost: () => loss.lost }
    },
    async close() {
      await Promise.allSettled([...works.values()].map(({ done }) => done))
      server.closeAllConnections()
      server.close()
      await backing.close()
    },
  }
}

async function sayNews({ callback }: Asked, name: string): Promise<void> {
  if (callback !== undefined) await postCallback(callback, name)
}

/** Says that there is news of the branch. Answers what Holdpoint says. */
export async function postCallback(
  url: string,
  branch: string,
  secret = PROVIDER_SECRET,
): Promise<Response> {
  const body = JSON.stringify({ branch })
  const content = { method: 'POST', path: new URL(url).pathname, body }
  const headers = signRequest(content, [new Secret(secret)])
  return await fetch(url, { method: 'POST', body, headers })
}

function isForeign(found: { state: string; owner?: unknown }, owner: ActionKey): boolean {
  return found.state !== 'absent' && !(found.owner && sameOwner(found.owner as ActionKey, owner))
}

function refuse(status: number, code: string): Answer {
  return { status, body: { error: { code, message: `It cannot be done (${code}).` } } }
}

function refusal(error: ActionFailure): Answer {
  const status = error.code.endsWith('_missing') ? 404 : error.retryable ? 503 : 409
  return { status, body: { error: describe(error) } }
}

function describe({ code, message, retryable }: ActionFailure) {
  return { code, message, retryable }
}

function stopped(): ActionFailure {
  return new ActionFailure('stopped', 'It was to be deleted.', { retryable: true })
}
