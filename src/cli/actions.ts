import { z } from 'zod'
import type { DeclaredAction } from '../actions/define-action.ts'
import type { DeclaredCheck } from '../checks/define-check.ts'
import { loadConfig } from '../config/load-config.ts'
import type { DeclaredProduct } from '../products/provision-resource.ts'
import type { CommonOptions } from './main.ts'
import { table } from './print-table.ts'

export interface ActionsOptions extends CommonOptions {
  readonly json: boolean
}

/** An action as it is entered in Vercel's Integration Console. */
export interface ActionDeclaration {
  readonly slug: string
  readonly name: string
  readonly description?: string
  /** JSON Schema of the options a customer may set. */
  readonly options?: Record<string, unknown>
  readonly suggestions: readonly string[]
}

export function declarationOf({ slug, definition }: DeclaredAction): ActionDeclaration {
  return {
    slug,
    name: definition.name,
    ...(definition.description && { description: definition.description }),
    ...(definition.options && { options: z.toJSONSchema(definition.options, { io: 'input' }) }),
    suggestions: definition.suggest ?? [],
  }
}

/** Prints what is declared as tables, or as one list in JSON. */
export async function printActions(options: ActionsOptions): Promise<void> {
  const { actions, checks, products } = await loadConfig(options.config)
  const declared = {
    actions: [...actions.values()].map(declarationOf),
    checks: [...checks.values()].map(checkDeclaration),
    products: [...products.values()].map(productDeclaration),
  }
  process.stdout.write(options.json ? asJson(declared) : asTables(declared))
}

interface Declared {
  readonly actions: readonly ActionDeclaration[]
  readonly checks: readonly ReturnType<typeof checkDeclaration>[]
  readonly products: readonly ReturnType<typeof productDeclaration>[]
}

function checkDeclaration({ slug, api, declaration }: DeclaredCheck) {
  return { slug, api, ...declaration }
}

function productDeclaration({ slug, definition }: DeclaredProduct) {
  const { name, metadata, plans = [] } = definition
  return {
    slug,
    name,
    ...(metadata && { metadata: z.toJSONSchema(metadata, { io: 'input' }) }),
    // A function is asked anew by each customer.
    plans: typeof plans === 'function' ? ('asked' as const) : plans.map(({ id }) => id),
  }
}

function asJson({ actions, checks, products }: Declared): string {
  const all = [
    ...actions.map((action) => ({ kind: 'action', ...action })),
    ...checks.map((check) => ({ kind: 'check', ...check })),
    ...products.map((product) => ({ kind: 'product', ...product })),
  ]
  return `${JSON.stringify(all, null, 2)}\n`
}

function checkRow({ slug, api, name, targets = [], ...check }: Declared['checks'][number]) {
  const [requires, blocks = ''] =
    'blocking' in check
      ? ['', check.blocking ? 'deployment' : 'none']
      : [check.requires, check.blocks]
  return [slug, api, name, targets.join(', '), requires, blocks]
}

function asTables({ actions, checks, products }: Declared): string {
  const sections = [
    section(
      ['SLUG', 'NAME', 'SUGGESTED FOR', 'OPTIONS'],
      actions.map(({ slug, name, suggestions, options }) => [
        slug,
        name,
        suggestions.join(', '),
        fieldNames(options).join(', '),
      ]),
      "Enter these in Vercel's Integration Console: your product, Deployment Actions. --json adds the options' schema.",
    ),
    ...(checks.length === 0
      ? []
      : [
          section(
            ['CHECK', 'API', 'NAME', 'TARGETS', 'REQUIRES', 'BLOCKS'],
            checks.map(checkRow),
            'Enter none of these: they are registered when a resource is connected to a project, and those of v1 with each deployment.',
          ),
        ]),
    ...(products.length === 0
      ? []
      : [
          section(
            ['PRODUCT', 'NAME', 'PLANS', 'METADATA'],
            products.map(({ slug, name, plans, metadata }) => [
              slug,
              name,
              typeof plans === 'string' ? plans : plans.join(', '),
              fieldNames(metadata).join(', '),
            ]),
            "Enter these in Vercel's Integration Console: Products, under these slugs. --json adds the metadata's schema.",
          ),
        ]),
  ]
  return `${sections.join('\n\n')}\n`
}

/** A table of what there is, an empty cell as `-`, with what to do about it. */
function section(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  note: string,
): string {
  return `${table([[...head], ...rows.map((row) => row.map((cell) => cell || '-'))])}\n\n${note}`
}

function fieldNames(schema: Record<string, unknown> | undefined): string[] {
  const properties = schema?.['properties']
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}
