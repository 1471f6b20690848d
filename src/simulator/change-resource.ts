import type { Resource } from './resource.ts'
import type {
  BillingPlan,
  Notification,
  ResourceSecret,
  ResourceStatus,
} from './resource-schema.ts'
import { announceResource, type ResourceSurroundings } from './resource-surroundings.ts'

/** What the provider says of a resource; what it leaves out stays. */
export interface ResourceChanges {
  readonly name?: string | undefined
  readonly status?: ResourceStatus | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  readonly billingPlan?: BillingPlan | undefined
  /** Null takes it away. */
  readonly notification?: Notification | null | undefined
  readonly protocolSettings?: Readonly<Record<string, unknown>> | undefined
  readonly secrets?: readonly ResourceSecret[] | undefined
  /** Whether secrets that are not named stay. */
  readonly partial?: boolean | undefined
}

/** Takes what the provider says of a resource. Deployments that are there keep the variables they have. */
export function changeResource(
  resource: Resource,
  changes: ResourceChanges,
  surroundings: Pick<ResourceSurroundings, 'record' | 'now'>,
): void {
  const { name, status, metadata, billingPlan, notification, protocolSettings, secrets } = changes
  if (name !== undefined) resource.name = name
  if (status !== undefined) resource.status = status
  if (metadata) resource.metadata = metadata
  if (billingPlan) resource.billingPlan = billingPlan
  if (notification) resource.notification = notification
  if (notification === null) delete resource.notification
  if (protocolSettings) resource.protocolSettings = protocolSettings
  if (secrets) {
    resource.secrets = changes.partial ? mergeSecrets(resource.secrets, secrets) : secrets
    resource.rotating = false
  }
  resource.version += 1
  announceResource(resource, 'updated', surroundings)
}

function mergeSecrets(
  old: readonly ResourceSecret[],
  given: readonly ResourceSecret[],
): ResourceSecret[] {
  const names = new Set(given.map(({ name }) => name))
  return [...old.filter(({ name }) => !names.has(name)), ...given]
}
