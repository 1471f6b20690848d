import type { z } from '@hono/zod-openapi'

/** An answer of a route. */
export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** What a route must be sent. */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
})

/** What a route may be sent; nothing at all reads as `{}`. */
export const optionalBody = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { 'application/json': { schema } },
})
