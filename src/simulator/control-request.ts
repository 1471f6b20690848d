import type { Context } from 'hono'

/** Whether a request to the control routes comes from a program, and not from a form of the page. */
export function isJson(c: Context): boolean {
  return /^application\/json\b/i.test(c.req.header('content-type') ?? '')
}

export async function readRequest(c: Context): Promise<unknown> {
  return isJson(c) ? await c.req.json().catch(() => undefined) : await c.req.parseBody()
}

/** Answers a program with what became of its request, and a person with the page. */
export function answerPost(c: Context, body: object, status: 200 | 201 = 200): Response {
  return isJson(c) ? c.json(body, status) : c.redirect('/', 303)
}

/** The same thing with the names of its variables in place of their values. */
export function withoutValues<T extends { readonly env: Readonly<Record<string, string>> }>(
  thing: T,
) {
  return { ...thing, env: Object.keys(thing.env) }
}
