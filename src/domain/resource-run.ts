import type { ResourceChange } from './resource-change.ts'
import type { ResourceKey } from './resource-key.ts'
import { digest, workflowId } from './workflow-id.ts'

// What the workflows of a resource are started with. Workflow data: ids and what is to be changed, and no secret. All
// else about the resource the activities read of the installation store.

export interface ResourceRequest {
  readonly key: ResourceKey
  /** How long the work may take before it is given up. */
  readonly deadlineMs: number
}

export interface ResourceChangeRequest extends ResourceRequest {
  readonly change: ResourceChange
}

export interface ResourceRemovalRequest {
  readonly key: ResourceKey
  /** One sentence for whoever opens the runs that it withdraws. */
  readonly because: string
  /** Whatever was made of it for deployments is gone: the removal of its installation has seen to that. */
  readonly isBare?: boolean
}

export interface SecretsExpiryRequest {
  readonly key: ResourceKey
  /** For how long the old credentials stay good, in milliseconds. */
  readonly keepOldMs: number
  /** What the rotation left: a later one may have made others, whose time is not over yet. */
  readonly reference?: unknown
}

/** The same for the same change, whose second request is then no other one. */
export function changeMark(change: ResourceChange): string {
  const { kind } = change
  return digest(JSON.stringify(kind === 'rotation' ? [kind, change.rotationId] : [kind, change]))
}

/** The workflow id of the end of the old credentials: one for each rotation. */
export function secretsExpiryWorkflowId(key: ResourceKey, rotationId: string): string {
  return workflowId('secrets-expiry', key.installationId, key.resourceId, rotationId)
}
