import type { Context } from 'hono'

export type JsonBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'invalid'; readonly message: string }

/** The body of a request to the API. It may be missing; one that comes must be JSON. */
export async function readJson(c: Context): Promise<JsonBody> {
  const text = await c.req.text()
  if (text === '') return { kind: 'json', value: {} }
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    return { kind: 'invalid', message: 'Invalid request: the content type should be JSON' }
  try {
    return { kind: 'json', value: JSON.parse(text) }
  } catch {
    return { kind: 'invalid', message: 'Invalid JSON' }
  }
}
