import { z } from 'zod'
import { loadConfig } from '../config/load-config.ts'
import type { DeclaredAction } from '../actions/define-action.ts'
import type { CommonOptions } from './main.ts'
import { table } from './print-table.ts'

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

/** Prints the declared actions as a table, or as JSON. */
export async function printActions(options: CommonOptions & { json: boolean }): Promise<void> {
  const config = await loadConfig(options.config)
  const declarations = [...config.actions.values()].map(declarationOf)
  process.stdout.write(
    options.json ? `${JSON.stringify(declarations, null, 2)}\n` : render(declarations),
  )
}

function render(declarations: readonly ActionDeclaration[]): string {
  const rows = [
    ['SLUG', 'NAME', 'SUGGESTED FOR', 'OPTIONS'],
    ...declarations.map(({ slug, name, suggestions, options }) => [
      slug,
      name,
      suggestions.join(', ') || '-',
      optionNames(options).join(', ') || '-',
    ]),
  ]
  return `${table(rows)}\n\nEnter these in Vercel's Integration Console: your product, Deployment Actions. --json adds the options' schema.\n`
}

function optionNames(schema: Record<string, unknown> | undefined): string[] {
  const properties = schema?.['properties']
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}
