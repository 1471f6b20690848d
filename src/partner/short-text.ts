import { z } from '@hono/zod-openapi'

/** A name, or an id that somebody else gave: one line that any store and log can take. */
export function shortText() {
  return z
    .string()
    .min(1)
    .max(500)
    .refine((text) => !/\p{Cc}/u.test(text), 'must not hold control characters')
}
