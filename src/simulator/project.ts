import type { ProjectCheck } from './check.ts'

/** What the provider declared in the Integration Console. */
export interface Product {
  readonly id: string
  readonly name: string
  readonly actions: readonly DeclaredAction[]
  /** Whether checks are switched on in the Integration Console, and with them the webhooks of connections. */
  readonly checks?: boolean
  /** Whether the events of deployments are switched on in the Integration Console, as checks of v1 need them. */
  readonly deploymentEvents?: boolean
}

export interface DeclaredAction {
  readonly slug: string
  readonly name: string
  /** A JSON Schema object; the defaults of its properties are what a user who changes nothing has chosen. */
  readonly options?: Readonly<Record<string, unknown>>
  /** The environments that are preselected when a user connects a project. */
  readonly suggestions?: readonly string[]
}

/** The integration installed on one team. Change a field, and the next request or webhook meets the change. */
export interface Installation {
  readonly id: string
  teamId: string
  teamSlug: string
  /** The only Bearer token taken for this installation. */
  accessToken: string
  /** A disabled installation gets 403 for its calls, and its action webhooks are lost. */
  enabled: boolean
  /** What the provider says of it; unset until it does. */
  status?: string
  externalId?: string
  billingPlanId?: string
  notification?: { readonly level: string; readonly title: string }
}

/** One resource connected to a project, with the actions its user chose. */
export interface Connection {
  readonly resourceId: string
  /** A deployment fails when an action of a required resource fails. */
  readonly required: boolean
  readonly actions: readonly ChosenAction[]
}

export interface ChosenAction {
  readonly slug: string
  readonly environments: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
}

export interface Project {
  readonly id: string
  readonly name: string
  /** The installation on the project's team. */
  installation: Installation
  connections: readonly Connection[]
  /** What integrations registered with it. */
  readonly checks: ProjectCheck[]
  /** The variables each environment has without any action. */
  readonly env: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What a user filled in when connecting a resource. */
export interface ConnectionChoice {
  readonly resourceId: string
  readonly required?: boolean
  /** By slug. Left out: the actions with suggestions, for the environments they suggest. */
  readonly actions?: Readonly<
    Record<
      string,
      { readonly environments: readonly string[]; readonly options?: Record<string, unknown> }
    >
  >
}

/** Connects a resource as Vercel's form does. Throws when an action was never declared. */
export function connectResource(product: Product, choice: ConnectionChoice): Connection {
  const chosen = choice.actions ?? suggestedActions(product)
  const actions = Object.entries(chosen).map(([slug, { environments, options }]) => ({
    slug,
    environments,
    options: { ...defaultOptions(declaredAction(product, slug)), ...options },
  }))
  return {
    resourceId: choice.resourceId,
    required: choice.required ?? true,
    actions,
  }
}

function suggestedActions(product: Product): NonNullable<ConnectionChoice['actions']> {
  const suggested = product.actions.filter((action) => action.suggestions?.length)
  return Object.fromEntries(
    suggested.map((action) => [action.slug, { environments: action.suggestions ?? [] }]),
  )
}

function declaredAction(product: Product, slug: string): DeclaredAction {
  const declared = product.actions.find((action) => action.slug === slug)
  if (declared) return declared
  const slugs = product.actions.map((action) => action.slug).join(', ')
  throw new Error(
    `The product ${product.name} declares no action ${slug}; it declares: ${slugs || 'none'}`,
  )
}

function defaultOptions(action: DeclaredAction): Record<string, unknown> {
  const properties = action.options?.['properties']
  if (!isRecord(properties)) return {}
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) =>
      isRecord(property) && 'default' in property ? [[name, property['default']]] : [],
    ),
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
