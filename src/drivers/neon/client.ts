import type { Api, RequestParams } from '@neondatabase/api-client'
import type { z } from 'zod'
import { retryAfterMs } from '../../domain/retry-after.ts'
import type { Secret } from '../../domain/secret.ts'
import { NeonError } from './neon-error.ts'
import { backoffMs, pause } from './pause.ts'

export type NeonApi = Api<unknown>

/** Neon's API with one key. */
export interface Neon {
  /**
   * Sends one request, and again where that is safe: a change only when Neon surely did not make it (423, 429, 503, or
   * nobody was reached), anything else also after a lost answer. Gives up after 45 seconds, or when Neon asks for a
   * longer pause. Throws `NeonError`.
   */
  ask<Answer>(request: NeonRequest<Answer>, signal: AbortSignal): Promise<Answer>
}

export interface NeonRequest<Answer> {
  /** For people, behind "Neon answered 404 to": `the list of branches of x`. */
  readonly what: string
  readonly send: (
    api: NeonApi,
    params: RequestParams,
  ) => Promise<{ readonly status: number; readonly data: unknown; readonly headers: object }>
  /** What of the answer is used; the rest may change. */
  readonly answer: z.ZodType<Answer>
  /**
   * Set for what changes something at Neon. Once sent, its answer is awaited even when the signal aborts: an undo that
   * follows must meet what was made.
   */
  readonly isChange?: boolean
  /** Asked right before each sending; nothing is sent when it throws. */
  readonly confirm?: () => Promise<void>
}

const REQUEST_TIMEOUT_MS = 30_000
const PATIENCE_MS = 45_000
const LARGEST_ANSWER_BYTES = 32 * 1024 * 1024

/** Opens no connection yet, and loads the client with the first request: only those who use it pay for it. */
export function connectNeon(apiKey: Secret, baseUrl: string | undefined): Neon {
  let api: Promise<NeonApi> | undefined
  return {
    async ask(request, signal) {
      const client = await (api ??= openApi(apiKey, baseUrl))
      const end = performance.now() + PATIENCE_MS
      for (let attempt = 1; ; attempt += 1) {
        signal.throwIfAborted()
        await request.confirm?.()
        signal.throwIfAborted()
        try {
          return await askOnce({ client, request, apiKey }, signal)
        } catch (error) {
          if (!(error instanceof NeonError) || !mayRepeat(error, request)) throw error
          const leastMs = error.status === 429 ? 1_000 : 0
          const waitMs = error.retryAfterMs ?? leastMs + backoffMs(attempt)
          if (performance.now() + waitMs > end) throw error
          await pause(waitMs, signal)
        }
      }
    },
  }
}

async function openApi(apiKey: Secret, baseUrl: string | undefined): Promise<NeonApi> {
  const { createApiClient } = await import('@neondatabase/api-client')
  return createApiClient({
    apiKey: apiKey.reveal(),
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    headers: { 'User-Agent': 'holdpoint' },
    // The key is for this host alone, and the environment of the process is not read here.
    maxRedirects: 0,
    proxy: false,
    timeout: REQUEST_TIMEOUT_MS,
    maxContentLength: LARGEST_ANSWER_BYTES,
    // Statuses are judged below; the client's own errors carry the request with its key.
    validateStatus: () => true,
  })
}

interface Asking<Answer> {
  readonly client: NeonApi
  readonly request: NeonRequest<Answer>
  readonly apiKey: Secret
}

async function askOnce<Answer>(
  { client, request, apiKey }: Asking<Answer>,
  signal: AbortSignal,
): Promise<Answer> {
  const { what, isChange = false } = request
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
  const cut = isChange ? timeout : AbortSignal.any([signal, timeout])
  const response = await request.send(client, { signal: cut }).catch((error: unknown) => {
    throw noAnswer(what, error)
  })
  const { status, data } = response
  if (status < 200 || status >= 300) throw refusal(what, response, apiKey)
  const answer = request.answer.safeParse(data)
  if (answer.success) return answer.data
  const fields = answer.error.issues.map(({ path }) => path.join('.')).slice(0, 3)
  throw new NeonError(
    `Neon's answer to ${what} has not the form of its API (${fields.join(', ')})`,
    { status, mayHaveActed: true },
  )
}

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])

// The error itself must not get any further: the request in it has the key.
function noAnswer(what: string, error: unknown): NeonError {
  const code = systemCode(error)
  return new NeonError(`Neon gave no answer to ${what} (${code})`, {
    status: 0,
    mayHaveActed: !NEVER_SENT.has(code),
  })
}

function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'connection broken'
}

function refusal(
  what: string,
  response: { readonly status: number; readonly data: unknown; readonly headers: object },
  apiKey: Secret,
): NeonError {
  const { status, data, headers } = response
  const { code, message } = (typeof data === 'object' && data !== null ? data : {}) as {
    code?: unknown
    message?: unknown
  }
  const words = typeof message === 'string' ? `: ${harmless(message, apiKey)}` : ''
  const retryAfter: unknown = new Map(Object.entries(headers)).get('retry-after')
  const waitMs = typeof retryAfter === 'string' ? retryAfterMs(retryAfter, Date.now()) : undefined
  return new NeonError(`Neon answered ${status} to ${what}${words}`, {
    status,
    code: typeof code === 'string' && /^\w{1,80}$/.test(code) ? code : '',
    mayHaveActed: status >= 500 && status !== 503,
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
  })
}

/** Neon's words in one line, without anything that is or could be a credential. */
function harmless(message: string, apiKey: Secret): string {
  return message
    .replaceAll(apiKey.reveal(), '[redacted]')
    .replaceAll(/\S+:\/\/\S+|\bnapi_\w+/g, '[redacted]')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 200)
    .replace(/[.\s]+$/, '')
}

// That 423 and 503 mean "not done" stands in the description of Neon's API.
function mayRepeat(
  { status, mayHaveActed }: NeonError,
  { isChange = false }: Pick<NeonRequest<unknown>, 'isChange'>,
): boolean {
  if ([423, 429, 503].includes(status)) return true
  return (status === 0 || status >= 500) && (!isChange || !mayHaveActed)
}
