import { z } from 'zod'
import type { BranchOwner } from '../../domain/branch-ref.ts'
import { parseJson } from '../../domain/parse-json.ts'
import type { BranchClaim } from '../driver.ts'

/**
 * What is written as a comment on a branch's role, and on its database when that is complete. The role's is the one
 * that counts: the branch's own user may change the database's.
 */
export interface BranchMark {
  /** Which Holdpoint made it. */
  readonly holdpoint?: string | undefined
  readonly owner: BranchOwner
  readonly source: string
  readonly createdAt: Date
  /** Goes up when the branch is asked for anew: a database of an earlier edition does not count any more. */
  readonly edition: number
  /** Who holds a shared branch, and since when nobody does; on the role only. */
  readonly claims: readonly BranchClaim[]
  readonly unclaimedSince?: Date | undefined
}

/** How the comment of everything Holdpoint made begins; lets the server pick out our comments. */
export const MARK_PREFIX = '{"holdpoint":'

export function writeMark({ holdpoint, ...mark }: BranchMark): string {
  return JSON.stringify({ holdpoint: holdpoint ?? null, ...mark })
}

/** The mark in a comment, or undefined for a comment that is not ours. */
export function readMark(comment: string | null | undefined): BranchMark | undefined {
  if (comment?.startsWith(MARK_PREFIX) !== true) return undefined
  return Mark.safeParse(parseJson(comment)).data
}

const text = z.string()
const time = text.pipe(z.coerce.date())
const action = { installationId: text, resourceId: text, action: text }

const Mark = z.object({
  holdpoint: text.optional().catch(undefined),
  owner: z.union([
    z.object({ ...action, deploymentId: text }),
    z.object({ ...action, projectId: text, gitBranch: text }),
  ]),
  source: text,
  createdAt: time,
  edition: z.int().default(1),
  claims: z.array(z.object({ deploymentId: text, claimedAt: time })).default([]),
  unclaimedSince: time.optional(),
})
