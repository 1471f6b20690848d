import type { CheckConclusion } from './check-run.ts'
import { digest, workflowId } from './workflow-id.ts'

/** The identity of a check of one deployment (Checks API v1). */
export interface DeploymentCheckKey {
  /** The installation that creates the check, `icfg_…`. */
  readonly installationId: string
  readonly deploymentId: string
  /** The slug of the check. */
  readonly check: string
  /** The provider's id of the resource that is checked, where Vercel tells. */
  readonly resourceId?: string
}

/** The workflow id of a deployment's check; see `workflowId`. */
export function deploymentCheckWorkflowId(key: DeploymentCheckKey): string {
  const { installationId, deploymentId, check, resourceId } = key
  const resource = resourceId === undefined ? [] : [resourceId]
  return workflowId('deployment-check', installationId, deploymentId, check, ...resource)
}

/** What a check is found by at Vercel, by us alone; as short as any limit may be. */
export function deploymentCheckExternalId(key: DeploymentCheckKey): string {
  return digest(deploymentCheckWorkflowId(key))
}

/** What the workflow of a deployment's check is started with. */
export interface DeploymentCheckRequest {
  readonly key: DeploymentCheckKey
  readonly teamId?: string
  /** Another resource of the same installation has this check as well. */
  readonly isOneOfSeveral?: true
}

/** Vercel takes no longer name. */
const MAX_NAME = 100

/** The name that people read; where several resources have the check, each with its own. */
export function deploymentCheckName(
  name: string,
  { key, isOneOfSeveral }: DeploymentCheckRequest,
): string {
  if (!isOneOfSeveral || key.resourceId === undefined) return name
  return Array.from(`${name} (${key.resourceId})`).slice(0, MAX_NAME).join('')
}

/** A conclusion in the words of v1, which has none for one that came too late. */
export function deploymentCheckConclusion(
  conclusion: CheckConclusion,
): Exclude<CheckConclusion, 'timeout'> {
  return conclusion === 'timeout' ? 'failed' : conclusion
}

/** A check as Vercel is told of it, for a deployment. */
export interface DeploymentCheckDeclaration {
  readonly name: string
  /** Whether the deployment fails with the check. */
  readonly blocking: boolean
  /** Whose deployments are checked. Vercel is not told. */
  readonly targets: readonly string[]
  readonly rerequestable?: boolean
}

/** What has become of a deployment, or is wanted of a check of it, by Vercel's id. */
export type DeploymentNews =
  | { readonly news: 'created' | 'ready' | 'failed' | 'canceled' }
  | { readonly news: 'check-rerequested'; readonly checkId: string }

/** A webhook about a deployment as a whole, read and checked. */
export type DeploymentEvent = DeploymentNews & {
  readonly kind: 'deployment'
  readonly deploymentId: string
  /** Our installations that it concerns, once for each of their resources. At least one. */
  readonly concerned: readonly Concerned[]
  /** See `ActionEvent`. */
  readonly deliveryId: string
  readonly teamId?: string
}

export interface Concerned {
  readonly installationId: string
  /** The provider's id of the resource, where the event tells. */
  readonly resourceId?: string
}
