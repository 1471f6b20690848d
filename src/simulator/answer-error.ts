import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** The error body of Vercel's API. */
export function answerError(
  c: Context,
  status: ContentfulStatusCode,
  error: { readonly code: string; readonly message: string; readonly [detail: string]: unknown },
): Response {
  return c.json({ error }, status)
}

export function answerNotFound(c: Context, message: string): Response {
  return answerError(c, 404, { code: 'not_found', message })
}

export function answerForbidden(c: Context): Response {
  return answerError(c, 403, { code: 'forbidden', message: 'Not authorized' })
}

export function answerInvalid(c: Context, message: string): Response {
  return answerError(c, 400, { code: 'bad_request', message })
}

/** The answer to an update that is valid and all the same not taken. */
export function answerRefused(
  c: Context,
  { status, message }: { readonly status: keyof typeof REFUSAL_CODES; readonly message: string },
): Response {
  return answerError(c, status, { code: REFUSAL_CODES[status], message })
}

const REFUSAL_CODES = {
  400: 'bad_request',
  404: 'not_found',
  409: 'conflict',
  410: 'gone',
} as const
