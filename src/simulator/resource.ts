import type { Installation } from './project.ts'
import type {
  BillingPlan,
  Notification,
  ResourceSecret,
  ResourceStatus,
} from './resource-schema.ts'

/** Something of the provider's that a customer provisioned, as Vercel keeps it. */
export interface Resource {
  /** The provider's own id. */
  readonly id: string
  readonly productId: string
  /** Of the request that made it. */
  readonly idempotencyKey: string
  installation: Installation
  name: string
  status: ResourceStatus
  metadata: Readonly<Record<string, unknown>>
  billingPlan?: BillingPlan
  notification?: Notification
  protocolSettings?: Readonly<Record<string, unknown>>
  secrets: readonly ResourceSecret[]
  /** Whether the provider was asked for new secrets and has not given them yet. */
  rotating: boolean
  /** Counts the changes. */
  version: number
}

/** Which resource is meant: an id is the provider's own, and good within one installation. */
export interface ResourceRef {
  readonly installationId: string
  readonly id: string
}

/** A resource at one moment. `env` holds values, secrets: for assertions, not for logs. */
export interface ResourceSnapshot extends ResourceRef {
  readonly productId: string
  readonly name: string
  readonly status: ResourceStatus
  readonly metadata: Readonly<Record<string, unknown>>
  readonly billingPlan?: BillingPlan
  readonly notification?: Notification
  readonly protocolSettings?: Readonly<Record<string, unknown>>
  /** The variables of a project that it is connected to, in an environment without overrides. */
  readonly env: Readonly<Record<string, string>>
  readonly rotating: boolean
}

export function snapshotResource(resource: Resource): ResourceSnapshot {
  const { installation, secrets: _, idempotencyKey: __, version: ___, ...fields } = resource
  return { ...fields, installationId: installation.id, env: variablesOf(resource) }
}

export function findResource(
  resources: readonly Resource[],
  installation: Installation,
  id: string,
): Resource | undefined {
  return resources.find(
    (resource) => resource.id === id && resource.installation.id === installation.id,
  )
}

/** The variables that a resource gives to a project; some may differ for an environment. */
export function variablesOf({ secrets }: Resource, environment?: string): Record<string, string> {
  return Object.fromEntries(
    secrets.map(({ name, value, environmentOverrides = {} }) => {
      const override = Object.entries(environmentOverrides).find(([key]) => key === environment)
      return [name, override?.[1] ?? value]
    }),
  )
}
