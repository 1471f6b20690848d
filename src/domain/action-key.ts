import { digest, workflowId } from './workflow-id.ts'

/** The identity of one started action. Vercel's webhooks carry all four parts (as `action`, `deployment.id`, …). */
export interface ActionKey {
  /** `icfg_…`; Vercel never reuses one, a reinstallation gets a new id. */
  readonly installationId: string
  /** The provider's own id of the resource: any string, slashes and percent signs included. */
  readonly resourceId: string
  /** `dpl_…`; a redeploy of the same commit is a new deployment. */
  readonly deploymentId: string
  /** The slug the provider declared, `branch` for instance. */
  readonly action: string
}

/**
 * The workflow id of an action: equal keys give equal ids, different keys give different ids, on every machine
 * and in every version. At most 500 characters of `A-Z a-z 0-9 _ . - ~ @`, which the Web UI shows unescaped.
 */
export function actionWorkflowId(key: ActionKey): string {
  return workflowId('action', key.installationId, key.resourceId, key.deploymentId, key.action)
}

/** The first 32 hex digits (128 bits) of the key's SHA-256; what names at a provider are made of. */
export function actionDigest(key: ActionKey): string {
  return digest(JSON.stringify([key.installationId, key.resourceId, key.deploymentId, key.action]))
}
