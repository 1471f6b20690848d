import { z } from 'zod'
import type { CheckDefinition, DeclaredCheck } from '../checks/define-check.ts'
import { CHECK_BLOCKS, CHECK_REQUIREMENTS } from '../domain/check-registration.ts'
import { DEFAULT_CHECK_TIMEOUT_MS, withoutMargin } from '../domain/check-run.ts'
import { parseDuration } from '../domain/duration.ts'

const duration = z
  .string()
  .refine(
    (text) => timeMs(text) !== undefined,
    "must be a duration from '1 second' to '45 minutes'",
  )
  .optional()

/** Vercel gives up a check of v1 that has been running for 5 minutes. */
const V1_DEADLINE_MS = withoutMargin(300_000)

export const checkSchema = z.looseObject({
  api: z.enum(['v1', 'v2']).optional(),
  name: z.string().min(1).max(100),
  requires: z.enum(CHECK_REQUIREMENTS).optional(),
  blocks: z.enum(CHECK_BLOCKS).optional(),
  targets: z.array(z.string().min(1)).min(1).optional(),
  timeout: duration,
  deadline: duration,
  isRerequestable: z.boolean().optional(),
  after: z.string().optional(),
})

/** What is wrong with checks beside one another and the actions, by field. Each by itself was checked before. */
export function checkProblems(
  checks: Readonly<Record<string, CheckDefinition>>,
  actions: Readonly<Record<string, unknown>>,
): { path: string[]; message: string }[] {
  const names = new Set<string>()
  return Object.entries(checks).flatMap(([slug, definition]) => {
    const { name, after, timeout, deadline } = definition
    const problems: { path: string[]; message: string }[] = []
    const add = (field: string, message: string) =>
      problems.push({ path: ['checks', slug, field], message })
    if (names.has(name)) add('name', `must not be that of another check (${name})`)
    names.add(name)
    if (after !== undefined && !Object.hasOwn(actions, after))
      add('after', `must be the slug of an action (${Object.keys(actions).join(', ') || 'none'})`)
    if (deadline !== undefined && (timeMs(deadline) ?? 0) > timeoutMs(timeout))
      add('deadline', 'must not be longer than the timeout')
    if (definition.api === 'v1') for (const problem of v1Problems(definition)) add(...problem)
    return problems
  })
}

/** What v1 of the Checks API does not have, or not so. */
function v1Problems({
  requires,
  blocks,
  timeout,
  deadline,
}: CheckDefinition): [field: string, message: string][] {
  const problems: [field: string, message: string][] = []
  if (requires !== undefined)
    problems.push(['requires', 'must be left out with v1, whose checks are run on what is built'])
  if (blocks === 'build-start')
    problems.push(['blocks', 'must not be build-start with v1, whose checks are run after that'])
  if (timeout !== undefined)
    problems.push(['timeout', 'must be left out with v1, where Vercel waits for 5 minutes'])
  else if (deadline !== undefined && (timeMs(deadline) ?? 0) > V1_DEADLINE_MS)
    problems.push([
      'deadline',
      'must be at most 270 seconds with v1, as Vercel waits for 5 minutes',
    ])
  return problems
}

/** A check that was checked, with its defaults filled in. */
export function declareCheck(slug: string, definition: CheckDefinition): DeclaredCheck {
  const { name, requires = 'deployment-url', blocks, targets, isRerequestable } = definition
  const { timeout, deadline } = definition
  const deadlineMs = (deadline && timeMs(deadline)) || withoutMargin(timeoutMs(timeout))
  const declared = { slug, definition, deadlineMs }
  if (definition.api === 'v1')
    return {
      ...declared,
      api: 'v1',
      declaration: {
        name,
        blocking: blocks !== 'none',
        // The default that v2 has.
        targets: targets ?? ['production'],
        ...(isRerequestable !== undefined && { rerequestable: isRerequestable }),
      },
    }
  return {
    ...declared,
    api: 'v2',
    declaration: {
      name,
      // Vercel's default, which its document demands all the same.
      requires,
      ...(blocks !== undefined && { blocks }),
      ...(targets !== undefined && { targets }),
      ...(timeout !== undefined && { timeoutSeconds: Math.round(timeoutMs(timeout) / 1000) }),
      ...(isRerequestable !== undefined && { isRerequestable }),
    },
  }
}

/** The slugs of the checks that are made with this Checks API. */
export function checkSlugs(
  checks: ReadonlyMap<string, DeclaredCheck>,
  api: DeclaredCheck['api'],
): string[] {
  return [...checks.values()].filter((check) => check.api === api).map(({ slug }) => slug)
}

function timeoutMs(timeout: string | undefined): number {
  return (timeout && timeMs(timeout)) || DEFAULT_CHECK_TIMEOUT_MS
}

function timeMs(text: string): number | undefined {
  const value = parseDuration(text)
  return value !== undefined && value >= 1000 && value <= 45 * 60_000 ? value : undefined
}
