import { Agent, request as requestHttp } from 'undici'
import { z } from 'zod'
import { ActionFailure } from '../domain/failure.ts'
import { parseJson } from '../domain/parse-json.ts'
import { VercelApiError } from './errors.ts'
import { vercelWaitMs } from './retry-after.ts'
import type { UpdatePace } from './update-pace.ts'

export interface VercelConnection {
  /** `https://api.vercel.com`, or where a local Vercel listens. */
  readonly baseUrl: string
  /**
   * The token to use for an installation; asked for each call, because Vercel may replace tokens. `refused` is the one
   * that Vercel has just refused: whoever keeps tokens must not answer with it without asking anew.
   */
  readonly accessToken: (installationId: string, refused?: string) => Promise<string>
  /** How long one call may take, in milliseconds. */
  readonly timeoutMs: number
  /** Keeps updates of actions within Vercel's limit. Unset: Vercel refuses what is too much. */
  readonly pace?: UpdatePace
  /** What carries the requests. Unset: HTTP. */
  readonly send?: Send
}

export interface VercelRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'PUT'
  /** Parts are percent-encoded here: pass them as they are. */
  readonly path: readonly string[]
  readonly query?: Record<string, string | undefined>
  readonly body?: unknown
  readonly installationId: string
  readonly signal?: AbortSignal
}

/** Sends one request and answers with what came back, whatever its status. Rejects when there is no answer. */
export type Send = (
  url: URL,
  request: {
    readonly method: VercelRequest['method']
    readonly headers: Record<string, string>
    readonly body?: string
    readonly signal: AbortSignal
  },
) => Promise<{ readonly status: number; readonly retryAfter?: string; readonly text: string }>

// {error: {code, message}} is documented; `limit` stands in it when the rate limit is exceeded.
const errorBodySchema = z.object({
  error: z.object({
    code: z.string().catch('unknown'),
    message: z.string().optional().catch(undefined),
    limit: z.object({ reset: z.number().optional() }).optional().catch(undefined),
  }),
})

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_INVALID_ARG',
])

// The next build finds a connection open: to make one costs it at least two round trips.
const agent = new Agent({ keepAliveTimeout: 60_000 })

const sendHttp: Send = async (url, request) => {
  const { statusCode, headers, body } = await requestHttp(url, { ...request, dispatcher: agent })
  const retryAfter = [headers['retry-after']].flat()[0]
  return { status: statusCode, ...(retryAfter && { retryAfter }), text: await body.text() }
}

/**
 * Sends one request and answers the JSON body, or undefined where there is none. Throws `VercelApiError` on any
 * status but 2xx, on a timeout and on a broken connection, and where no token is to be had. Follows no redirects: the
 * token is for this host alone. A token that Vercel refuses is asked for again, and the request sent once more with
 * another one.
 */
export async function requestVercel(
  connection: VercelConnection,
  request: VercelRequest,
): Promise<unknown> {
  const url = requestUrl(connection.baseUrl, request)
  const what = `${request.method} ${url.pathname}`
  const token = await accessToken(connection, request.installationId)
  let answer = await send(connection, request, { url, what, token })
  // Of a bad token Vercel says 401 or 403 as it comes; the request was not acted on.
  if (answer.status === 401 || answer.status === 403) {
    const { installationId } = request
    // What Vercel said is worth more than why there is no other token; that is told the next time.
    const other = await accessToken(connection, installationId, token).catch(() => token)
    if (other !== token) answer = await send(connection, request, { url, what, token: other })
  }
  const { status, retryAfter, text } = answer
  if (status >= 200 && status < 300) return parseJson(text)
  const problem = errorBodySchema.safeParse(parseJson(text)).data?.error
  const code = problem?.code ?? 'unknown'
  // What Vercel says of a body may repeat it, and secrets stand in ours.
  const explanation = request.body === undefined ? problem?.message : undefined
  throw new VercelApiError(
    `Vercel answered ${status} ${code} to ${what}${explanation ? `: ${explanation}` : ''}`,
    {
      status,
      code,
      mayHaveActed: status >= 500,
      retryAfterMs: vercelWaitMs(retryAfter, problem?.limit, Date.now()),
    },
  )
}

/**
 * The token for the installation. Throws `VercelApiError`: as if Vercel had refused it (401) where nobody has one, so
 * that it is given up as such in the end, and as if there were no answer where one may be had later.
 */
async function accessToken(
  connection: VercelConnection,
  installationId: string,
  refused?: string,
): Promise<string> {
  try {
    return await connection.accessToken(installationId, refused)
  } catch (error) {
    const known = error instanceof ActionFailure ? error : undefined
    throw new VercelApiError(
      known?.message ??
        `The access token of installation ${installationId} could not be had, so Vercel was not asked: it will be asked again.`,
      {
        status: known?.retryable === false ? 401 : 0,
        code: 'no_access_token',
        mayHaveActed: false,
        retryAfterMs: known?.retryAfterMs,
      },
    )
  }
}

/** Sends it once, whatever is answered. Throws `VercelApiError` when nothing is. */
async function send(
  connection: VercelConnection,
  request: VercelRequest,
  { url, what, token }: { url: URL; what: string; token: string },
): ReturnType<Send> {
  const timeout = AbortSignal.timeout(connection.timeoutMs)
  const { send: carry = sendHttp } = connection
  try {
    return await carry(url, {
      method: request.method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(request.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
    })
  } catch (cause) {
    const systemCode = codeOf(cause)
    throw new VercelApiError(
      `Vercel gave no answer to ${what} (${timeout.aborted ? `none within ${connection.timeoutMs} ms` : (systemCode ?? 'connection broken')}): it will be asked again.`,
      {
        status: 0,
        code: 'no_answer',
        mayHaveActed: !NEVER_SENT.has(systemCode ?? ''),
        // Without a code it adds nothing.
        cause: systemCode === undefined ? undefined : cause,
      },
    )
  }
}

function requestUrl(baseUrl: string, request: VercelRequest): URL {
  // The base may have a path of its own, as https://vercel.com/api has.
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}/${request.path.map(pathPart).join('/')}`)
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}

function pathPart(part: string): string {
  // `.` and `..`, encoded or not, are resolved by every URL parser and would reach another route with our token.
  if (part === '.' || part === '..') {
    throw new VercelApiError(
      `The id ${JSON.stringify(part)} cannot stand in a path of Vercel's API, so nothing was sent: give the resource another id.`,
      { status: 400, code: 'unaddressable_id', mayHaveActed: false },
    )
  }
  return encodeURIComponent(part)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
