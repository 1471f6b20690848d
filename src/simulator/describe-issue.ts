import type { z } from 'zod'

/** What a request breaks of a schema, as Vercel's API says it. Names the field and never repeats its value. */
export function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'Invalid request'
  const path = fieldPath(issue.path)
  if (issue.code !== 'unrecognized_keys')
    return `Invalid request: ${path || 'body'}: ${issue.message}`
  const unknown = issue.keys.map((key) => (path ? `${path}.${key}` : key)).join(', ')
  return `Invalid request: should NOT have additional property ${unknown}`
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
}
