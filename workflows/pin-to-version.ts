import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow'

/**
 * Where worker versions are in use, lets the runs of a workflow end on the version they began with: for what takes
 * minutes.
 */
export function pinToVersion(workflow: (...args: never[]) => Promise<unknown>): void {
  setWorkflowOptions(
    // A worker without a version may not ask for it.
    () =>
      workflowInfo().currentDeploymentVersion?.deploymentName
        ? { versioningBehavior: 'PINNED' }
        : {},
    workflow,
  )
}
