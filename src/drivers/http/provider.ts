import { type Agent, request as requestHttp } from 'undici'
import type { z } from 'zod'
import { ActionFailure } from '../../domain/failure.ts'
import { retryAfterMs as waitOf } from '../../domain/retry-after.ts'
import type { Secret } from '../../domain/secret.ts'
import { parseJson } from '../../domain/parse-json.ts'
import { errorAnswerSchema } from './answer-schemas.ts'
import { missingAnswer, refusedAnswer, unreadableAnswer } from './describe-problem.ts'
import { signRequest } from '../../signing/sign-request.ts'

/** Where the provider is, and how it knows us. */
export interface Provider {
  readonly baseUrl: string
  readonly secrets: readonly Secret[]
  readonly timeoutMs: number
  readonly agent: Agent
}

export interface ProviderRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Parts are percent-encoded here: pass them as they are. */
  readonly path: readonly string[]
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A request that can be sent as long as its signature is fresh: for five minutes. */
export interface SignedRequest {
  readonly method: ProviderRequest['method']
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface ProviderAnswer {
  readonly status: number
  /** What came as JSON; undefined where nothing came. */
  readonly body: unknown
  /** How long the provider asks us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined
}

/** What a call is about, and for how long it is wanted. */
export interface Errand {
  /** What does not happen if it fails, for people: "the branch x was not made". */
  readonly doing: string
  readonly signal: AbortSignal
}

/** Builds and signs a request. */
export function signed(provider: Provider, request: ProviderRequest): SignedRequest {
  const url = new URL([provider.baseUrl, ...request.path.map(pathPart)].join('/'))
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value)
  const { method } = request
  const body = request.body === undefined ? '' : JSON.stringify(request.body)
  const signature = signRequest(
    { method, path: `${url.pathname}${url.search}`, body },
    provider.secrets,
  )
  return {
    method,
    url,
    headers: {
      accept: 'application/json',
      'user-agent': 'holdpoint',
      ...(body !== '' && { 'content-type': 'application/json' }),
      ...signature,
    },
    ...(body !== '' && { body }),
  }
}

/**
 * Sends it once and answers what came back with a status of 2xx. Throws an `ActionFailure` on any other status, on an
 * answer that is not JSON or too large, on a timeout and on a broken connection; the signal's reason when that aborts.
 * Follows no redirects.
 */
export async function send(
  { agent, timeoutMs }: Provider,
  { url, ...request }: SignedRequest,
  { signal, doing }: Errand,
): Promise<ProviderAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const until = AbortSignal.any([signal, timeout])
  const answer = await requestHttp(url, { ...request, signal: until, dispatcher: agent })
    .then(async ({ statusCode, headers, body }) => ({
      status: statusCode,
      type: first(headers['content-type']) ?? '',
      retryAfter: first(headers['retry-after']),
      text: await body.text(),
    }))
    .catch((cause: unknown) => {
      signal.throwIfAborted()
      if (cause instanceof ActionFailure) throw cause
      throw missingAnswer({ timeoutMs: timeout.aborted ? timeoutMs : undefined, cause }, doing)
    })
  const { status } = answer
  const retryAfterMs = waitOf(answer.retryAfter, Date.now())
  const isJson = /^application\/([\w.+-]+\+)?json\b/i.test(answer.type)
  const body = isJson ? parseJson(answer.text) : undefined
  if (status < 200 || status >= 300) {
    const error = errorAnswerSchema.safeParse(body).data?.error
    throw refusedAnswer({ status, error, retryAfterMs }, doing)
  }
  if (body === undefined && answer.text !== '')
    throw unreadableAnswer(`${status} with what is not JSON`, doing)
  return { status, body, retryAfterMs }
}

/** Asks, and answers the body in the shape that it must have. */
export async function ask<Body>(
  provider: Provider,
  request: ProviderRequest,
  { schema, ...errand }: Errand & { readonly schema: z.ZodType<Body> },
): Promise<ProviderAnswer & { readonly body: Body }> {
  const answer = await send(provider, signed(provider, request), errand)
  const parsed = schema.safeParse(answer.body)
  if (parsed.success) return { ...answer, body: parsed.data }
  const field = parsed.error.issues[0]?.path.join('.') || 'body'
  throw unreadableAnswer(`${field} is missing or wrong`, errand.doing)
}

function pathPart(part: string): string {
  // Every URL parser resolves `.` and `..`, encoded or not, and half a pair of surrogates cannot be encoded.
  if (/^\.{0,2}$/.test(part) || !part.isWellFormed())
    throw new ActionFailure(
      'branch_name_invalid',
      `${JSON.stringify(part)} cannot stand in the path of a URL, so the provider was not asked about it. Give the branch another name.`,
      { retryable: false },
    )
  return encodeURIComponent(part)
}

function first(header: string | string[] | undefined): string | undefined {
  return [header].flat()[0]
}
