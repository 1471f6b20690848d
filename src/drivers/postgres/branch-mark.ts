import type { BranchOwner } from '../../domain/branch-ref.ts'

/** What is written as a comment on a branch's role, and on its database: whom it was made for, and how far it is. */
export interface BranchMark {
  readonly owner: BranchOwner
  readonly source: string
  readonly createdAt: Date
  readonly state: 'making' | 'ready'
}

/** How the comment of everything Holdpoint made begins; lets the server pick out our comments. */
export const MARK_PREFIX = '{"holdpoint":'

export function writeMark(mark: BranchMark): string {
  return JSON.stringify({
    holdpoint: 1,
    owner: mark.owner,
    source: mark.source,
    createdAt: mark.createdAt.toISOString(),
    state: mark.state,
  })
}

/** The mark in a comment, or undefined for a comment that is not ours. */
export function readMark(comment: string | null | undefined): BranchMark | undefined {
  if (comment?.startsWith(MARK_PREFIX) !== true) return undefined
  const fields = parseObject(comment)
  const owner = readOwner(fields['owner'])
  const createdAt = new Date(typeof fields['createdAt'] === 'string' ? fields['createdAt'] : NaN)
  if (owner === undefined || Number.isNaN(createdAt.getTime())) return undefined
  if (typeof fields['source'] !== 'string') return undefined
  return {
    owner,
    source: fields['source'],
    createdAt,
    state: fields['state'] === 'ready' ? 'ready' : 'making',
  }
}

function readOwner(value: unknown): BranchOwner | undefined {
  const { installationId, resourceId, deploymentId, projectId, gitBranch, action } = asObject(value)
  if (typeof installationId !== 'string' || typeof resourceId !== 'string') return undefined
  if (typeof action !== 'string') return undefined
  if (typeof deploymentId === 'string') return { installationId, resourceId, deploymentId, action }
  if (typeof projectId !== 'string' || typeof gitBranch !== 'string') return undefined
  return { installationId, resourceId, projectId, gitBranch, action }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return {}
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
