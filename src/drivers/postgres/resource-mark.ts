import { z } from 'zod'
import { parseJson } from '../../domain/parse-json.ts'

/**
 * What is written as a comment on a resource's roles and database. The roles' are those that count: the customer may
 * change the database's. It names no installation, as a resource may be handed to another one.
 */
export interface ResourceMark {
  readonly resourceId: string
  /** Which Holdpoint made it. */
  readonly holdpoint: string
  readonly createdAt: Date
  /** On a login: the rotation that it was made for. */
  readonly rotationId?: string | undefined
}

export function writeResourceMark({ resourceId, ...mark }: ResourceMark): string {
  return JSON.stringify({ holdpointResource: resourceId, ...mark })
}

/** The mark in a comment, or undefined for a comment that is no resource's, such as a branch's. */
export function readResourceMark(comment: string | null | undefined): ResourceMark | undefined {
  if (comment?.startsWith('{"holdpointResource":') !== true) return undefined
  return Mark.safeParse(parseJson(comment)).data
}

const Mark = z
  .object({
    holdpointResource: z.string(),
    holdpoint: z.string(),
    createdAt: z.string().pipe(z.coerce.date()),
    rotationId: z.string().optional(),
  })
  .transform(({ holdpointResource, ...mark }) => ({ resourceId: holdpointResource, ...mark }))
