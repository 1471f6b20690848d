import { workflowId } from './workflow-id.ts'

/** What is started when a deployment is gone for good, however many actions it had. */
export interface DeploymentRemovalRequest {
  readonly deploymentId: string
  /** One sentence for whoever opens the runs that it withdraws. */
  readonly because: string
}

/** The workflow id: one for each deployment, as often as Vercel tells of it. */
export function deploymentRemovalWorkflowId(deploymentId: string): string {
  return workflowId('deployment-removal', deploymentId)
}
