import { z } from 'zod'
import { type BranchOwner, type BranchRef, sameOwner } from '../../domain/branch-ref.ts'
import { parseJson } from '../../domain/parse-json.ts'

/**
 * What stands in a branch's annotation. It is written by the request that makes the branch, and Neon lets nobody change
 * it later.
 */
export interface BranchMark {
  /** Which Holdpoint made it. */
  readonly holdpoint: string
  /** The name it was made under: a branch that somebody renamed is theirs. */
  readonly name: string
  readonly owner: BranchOwner
  readonly source: string
}

const KEY = 'holdpoint'

/**
 * The mark as the value of an annotation, whose parts are texts. As JSON in one of them: so a part of an owner that no
 * database column holds, with a NUL say, comes back as it was.
 */
export function writeMark(mark: BranchMark): Record<string, string> {
  return { [KEY]: JSON.stringify(mark) }
}

/** The mark in an annotation, or undefined for one that is not ours. */
export function readMark(annotation: Record<string, unknown> | undefined): BranchMark | undefined {
  const text = annotation?.[KEY]
  if (typeof text !== 'string') return undefined
  return Mark.safeParse(parseJson(text)).data
}

/** Whether the mark says that the branch was made for exactly this owner, under this name. */
export function isFor(mark: BranchMark | undefined, ref: BranchRef): boolean {
  return mark !== undefined && mark.name === ref.name && sameOwner(mark.owner, ref.owner)
}

const text = z.string()
const action = { installationId: text, resourceId: text, action: text }

const Mark = z.object({
  holdpoint: text,
  name: text,
  owner: z.union([
    z.object({ ...action, deploymentId: text }),
    z.object({ ...action, projectId: text, gitBranch: text }),
  ]),
  source: text,
})
