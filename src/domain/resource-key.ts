import { digest, workflowId } from './workflow-id.ts'

/** The identity of a resource that was provisioned here. */
export interface ResourceKey {
  readonly installationId: string
  /** The provider's own id, what webhooks call `resourceId`. */
  readonly resourceId: string
}

/**
 * The id of the resource that a request makes: the same request names the same resource each time, so what an earlier
 * try made is found. `request` is the request's `Idempotency-Key`. Legal and unquoted as the name of a database.
 */
export function resourceIdFor(installationId: string, request: string): string {
  return `hpr_${digest(JSON.stringify([installationId, request]))}`
}

/** The workflow id of all that is done to a resource, one thing after the other: Temporal lets one of them be open. */
export function resourceWorkflowId({ installationId, resourceId }: ResourceKey): string {
  return workflowId('resource', installationId, resourceId)
}
