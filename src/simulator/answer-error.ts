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
