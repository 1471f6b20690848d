import { createMiddleware } from 'hono/factory'

/** Takes a body of no bytes for none, also where the request gives it a type, as HTTP clients like to. */
export const dropEmptyBody = createMiddleware(async (c, next) => {
  const { headers, url, method, signal } = c.req.raw
  if (headers.has('content-type') && (await c.req.text()) === '') {
    const others = new Headers(headers)
    others.delete('content-type')
    c.req.raw = new Request(url, { method, headers: others, signal })
  }
  await next()
})
