import type { CheckRun, ProjectCheck } from './check.ts'
import type { Deployment } from './deployment.ts'
import type { Project } from './project.ts'

/** A check as the API answers it. */
export function viewCheck(project: Project, check: ProjectCheck): Record<string, unknown> {
  const { externalResourceId: _, ...fields } = check
  return {
    ...fields,
    targets: [...check.targets],
    ownerId: project.installation.teamId,
    projectId: project.id,
    source: sourceOf(project, check),
    sourceKind: 'integration',
    sourceIntegrationConfigurationId: project.installation.id,
    updatedAt: check.createdAt,
  }
}

/** A check run as the API answers it. */
export function viewCheckRun({ id, project }: Deployment, run: CheckRun): Record<string, unknown> {
  const { check, acceptedUpdates: _, ...fields } = run
  const { name, blocks, requires, targets, timeout } = check
  return {
    ...fields,
    checkId: check.id,
    deploymentId: id,
    projectId: project.id,
    ownerId: project.installation.teamId,
    name,
    blocks,
    requires,
    targets: [...targets],
    timeout,
    source: sourceOf(project, check),
  }
}

function sourceOf(
  { installation }: Project,
  { externalResourceId }: ProjectCheck,
): Record<string, unknown> {
  return {
    kind: 'integration',
    integrationId: 'oac_simulator',
    integrationConfigurationId: installation.id,
    ...(externalResourceId !== undefined && { externalResourceId }),
  }
}
