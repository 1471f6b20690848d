import { z } from 'zod'
import { VercelApiError } from './errors.ts'
import { retryAfterMs } from './retry-after.ts'
import type { UpdatePace } from './update-pace.ts'

export interface VercelConnection {
  /** `https://api.vercel.com`, or where a local Vercel listens. */
  readonly baseUrl: string
  /** The token to use for an installation; asked for each call, because Vercel may replace tokens. */
  readonly accessToken: (installationId: string) => Promise<string>
  /** How long one call may take, in milliseconds. */
  readonly timeoutMs: number
  /** Keeps updates of actions within Vercel's limit. Unset: Vercel refuses what is too much. */
  readonly pace?: UpdatePace
}

export interface VercelRequest {
  readonly method: 'GET' | 'PATCH'
  /** Parts are percent-encoded here: pass them as they are. */
  readonly path: readonly string[]
  readonly query?: Record<string, string | undefined>
  readonly body?: unknown
  readonly installationId: string
  readonly signal?: AbortSignal
}

// {error: {code, message}} is documented; `limit` stands in it when the rate limit is exceeded.
const errorBodySchema = z.object({
  error: z.object({
    code: z.string().catch('unknown'),
    message: z.string().optional().catch(undefined),
    limit: z.object({ reset: z.number().optional() }).optional().catch(undefined),
  }),
})

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])

/**
 * Sends one request and answers the JSON body, or undefined where there is none. Throws `VercelApiError` on any
 * status but 2xx, on a timeout and on a broken connection. Follows no redirects: the token is for this host alone.
 */
export async function requestVercel(
  connection: VercelConnection,
  request: VercelRequest,
): Promise<unknown> {
  const url = requestUrl(connection.baseUrl, request)
  const what = `${request.method} ${url.pathname}`
  const token = await connection.accessToken(request.installationId)
  const timeout = AbortSignal.timeout(connection.timeoutMs)
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: request.method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(request.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      redirect: 'manual',
      signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
    })
    text = await response.text()
  } catch (cause) {
    const systemCode = causeCode(cause)
    throw new VercelApiError(
      `Vercel gave no answer to ${what} (${timeout.aborted ? `none within ${connection.timeoutMs} ms` : (systemCode ?? 'connection broken')}): it will be asked again.`,
      {
        status: 0,
        code: 'no_answer',
        mayHaveActed: !NEVER_SENT.has(systemCode ?? ''),
        // Without a system code it adds nothing; that of a token which cannot be a header shows the token.
        cause: systemCode === undefined ? undefined : cause,
      },
    )
  }
  if (response.ok) return parseJson(text)
  const problem = errorBodySchema.safeParse(parseJson(text)).data?.error
  const code = problem?.code ?? 'unknown'
  // What Vercel says of a body may repeat it, and secrets stand in ours.
  const explanation = request.body === undefined ? problem?.message : undefined
  throw new VercelApiError(
    `Vercel answered ${response.status} ${code} to ${what}${explanation ? `: ${explanation}` : ''}`,
    {
      status: response.status,
      code,
      mayHaveActed: response.status >= 500,
      retryAfterMs: retryAfterMs(response.headers, problem?.limit, Date.now()),
    },
  )
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

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function causeCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : undefined
}
