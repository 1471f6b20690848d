import type { html } from 'hono/html'

/** A piece of the page; what was put into it is escaped. */
export type Fragment = ReturnType<typeof html>
