import { z } from 'zod'
import type { AnyAction, DeclaredAction } from '../actions/define-action.ts'
import type { CheckDefinition, DeclaredCheck } from '../checks/define-check.ts'
import { parseDuration } from '../domain/duration.ts'
import type { AnyProduct, DeclaredProduct } from '../products/provision-resource.ts'
import { checkedPolicy, policyProblems, policySchema } from './policy.ts'
import type { AccessTokenSource } from '../installations/access-token.ts'
import { fromFunction } from '../installations/from-function.ts'
import { checkProblems, checkSchema, declareCheck } from './checks.ts'
import { type PartnerFile, partnerSchema } from './partner.ts'
import { declareProduct, productSchema } from './products.ts'
import {
  type ReconciliationFile,
  type ReconciliationSettings,
  reconciliationSchema,
  reconciliationSettings,
} from './reconciliation.ts'

/** What an operator writes in `temporal.config.ts`. */
export interface ConfigFile {
  readonly temporal?: {
    /** The task queue that webhooks are handed to and workers poll. Default `deployment-actions`. */
    readonly taskQueue?: string
  }
  /** The declared actions by slug: the same slugs that stand in Vercel's Integration Console. */
  // Each action has option and reference types of its own; the map need not know them.
  readonly actions: Record<string, AnyAction>
  /**
   * Where the access tokens of installations come from: `fromStore()`, `fromEnvironment()`, `fromEndpoint({ … })`, or a
   * function that is asked for each call to Vercel. Default: the installation store where there is one, else the
   * environment.
   */
  readonly accessToken?: AccessTokenSource | ((installationId: string) => Promise<string>)
  /** The declared checks by slug, which is for people here alone: Vercel knows a check by its name. Default: none. */
  readonly checks?: Readonly<Record<string, CheckDefinition>>
  /** How the partner API answers where only the provider can say. */
  readonly partner?: PartnerFile
  /**
   * The products whose resources customers provision through Vercel, by slug: the same slugs that stand in Vercel's
   * Integration Console. They need the installation store and the partner API. Default: none.
   */
  // As of actions, each has types of its own.
  readonly products?: Readonly<Record<string, AnyProduct>>
  /** How often and how carefully to look for what webhooks never told; `false` leaves it to `holdpoint gc`. */
  readonly reconciliation?: ReconciliationFile | false
}

/** A configuration that was checked, with every default filled in. */
export interface Config {
  readonly taskQueue: string
  readonly actions: ReadonlyMap<string, DeclaredAction>
  /** Undefined: the store's where there is one, else that of the environment. */
  readonly accessToken: AccessTokenSource | undefined
  readonly checks: ReadonlyMap<string, DeclaredCheck>
  readonly partner: PartnerFile
  readonly products: ReadonlyMap<string, DeclaredProduct>
  readonly reconciliation: ReconciliationSettings
}

const DEFAULT_DEADLINE = '2 minutes'

const actionSchema = z
  .looseObject({
    name: z.string().min(1).max(100),
    description: z.string().optional(),
    suggest: z.array(z.string().min(1)).optional(),
    deadline: z
      .string()
      .refine(
        (text) => parseDeadline(text) !== undefined,
        "must be a duration from '1 second' to '45 minutes'",
      )
      .optional(),
    policy: policySchema.optional(),
  })
  .superRefine((action, context) => {
    for (const { field, message } of policyProblems(action))
      context.addIssue({ code: 'custom', path: ['policy', field], message })
  })

// Vercel publishes no charset for slugs; these stand in URLs, logs and ids without escaping.
const slugSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9, _ and -')

const configSchema = z.looseObject({
  temporal: z.looseObject({ taskQueue: z.string().min(1).max(200).optional() }).optional(),
  actions: z.record(slugSchema, actionSchema),
  accessToken: z
    .custom(
      isTokenSource,
      'must be fromStore(), fromEnvironment(), fromEndpoint({ … }) or a function',
    )
    .optional(),
  checks: z.record(slugSchema, checkSchema).optional(),
  partner: partnerSchema.optional(),
  products: z.record(slugSchema, productSchema).optional(),
  reconciliation: reconciliationSchema.optional(),
})

/** A configuration that cannot be used. The message names each field and what it must be. */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig'
}

/**
 * Checks the configuration and fills in the defaults. Throws `InvalidConfig` naming every field that is wrong, so
 * that a mistake is met at start-up and not by a held build.
 */
export function defineConfig(file: ConfigFile): Config {
  const checked = configSchema.safeParse(file)
  if (!checked.success) {
    const fields = checked.error.issues.map((issue) => {
      // What is wrong with a key stands one level deeper.
      const { message } = (issue.code === 'invalid_key' && issue.issues[0]) || issue
      return `  ${issue.path.join('.') || 'configuration'}: ${message}`
    })
    throw unusable(fields)
  }
  const { checks = {}, products = {} } = file
  const problems = checkProblems(checks, file.actions)
  if (problems.length > 0)
    throw unusable(problems.map(({ path, message }) => `  ${path.join('.')}: ${message}`))
  const actions = Object.entries(file.actions).map(
    ([slug, definition]): [string, DeclaredAction] => {
      const deadlineMs = parseDeadline(definition.deadline ?? DEFAULT_DEADLINE) ?? 0
      const { policy } = definition
      return [
        slug,
        { slug, definition, deadlineMs, ...(policy && { policy: checkedPolicy(policy) }) },
      ]
    },
  )
  return Object.freeze({
    taskQueue: file.temporal?.taskQueue ?? 'deployment-actions',
    actions: new Map(actions),
    accessToken:
      typeof file.accessToken === 'function' ? fromFunction(file.accessToken) : file.accessToken,
    checks: new Map(
      Object.entries(checks).map(([slug, definition]) => [slug, declareCheck(slug, definition)]),
    ),
    partner: file.partner ?? {},
    products: new Map(
      Object.entries(products).map(([slug, definition]) => [
        slug,
        declareProduct(slug, definition),
      ]),
    ),
    reconciliation: reconciliationSettings(file.reconciliation),
  })
}

function isTokenSource(value: unknown): boolean {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && 'open' in value && 'lacks' in value
}

function unusable(fields: readonly string[]): InvalidConfig {
  return new InvalidConfig(
    `The configuration cannot be used, so nothing was started. Correct in temporal.config.ts:\n${fields.join('\n')}`,
  )
}

function parseDeadline(text: string): number | undefined {
  const value = parseDuration(text)
  // A build takes 45 minutes at most; an action that takes longer holds nothing any more.
  return value !== undefined && value >= 1000 && value <= 45 * 60_000 ? value : undefined
}
