import type { UnsentEvent } from './build-webhook.ts'
import type { Deployment } from './deployment.ts'
import type { DeploymentCheck } from './deployment-check.ts'
import type { Dials } from './dials.ts'
import type { DeploymentEventKind } from './surroundings.ts'

export type DeploymentEventType = `deployment.${DeploymentEventKind}`

/** What Vercel tells as a deployment goes its way, or of a check of it that is requested again. */
export function deploymentEvent(
  kind: DeploymentEventKind,
  deployment: Deployment,
  check: DeploymentCheck | undefined,
  dials: Dials,
): { type: DeploymentEventType; payload: Record<string, unknown> } {
  const { id, url, meta, project } = deployment
  return {
    type: `deployment.${kind}`,
    payload: {
      ...(dials.teamInPayload && { team: { id: project.installation.teamId } }),
      user: { id: 'user-1' },
      ...(check
        ? { deployment: { id }, check: { id: check.id } }
        : {
            deployment: { id, meta: { ...meta }, url, name: project.name },
            ...(kind === 'created' && { alias: [] }),
            links: { deployment: `https://${url}`, project: `https://vercel.com/${project.name}` },
            target: targetOf(deployment),
            project: { id: project.id },
            plan: 'pro',
            regions: ['iad1'],
          }),
      ...concernedView(deployment, dials),
      ...dials.extraPayloadKeys,
    },
  }
}

/** What Vercel tells once a deployment is completely gone. */
export function deploymentCleanupEvent(deployment: Deployment): UnsentEvent {
  const { id, url, meta, environment, project } = deployment
  const target = targetOf(deployment)
  const custom = target === null && environment !== 'preview'
  return {
    type: 'deployment.cleanup',
    payload: {
      team: { id: project.installation.teamId },
      user: { id: 'user-1' },
      deployment: {
        id,
        meta,
        url,
        name: project.name,
        alias: [],
        target,
        customEnvironmentId: custom ? `env_${environment}` : null,
        regions: ['iad1'],
      },
      project: { id: project.id },
    },
  }
}

function targetOf({ environment }: Deployment): string | null {
  return environment === 'production' || environment === 'staging' ? environment : null
}

function concernedView(
  { project: { installation, connections } }: Deployment,
  { installationsInEvents }: Dials,
): Record<string, unknown> {
  switch (installationsInEvents) {
    case 'integrations': {
      const resources = connections.map(({ resourceId }) => ({ externalResourceId: resourceId }))
      return { integrations: [{ installationId: installation.id, resources }] }
    }
    case 'installationIds':
      return { installationIds: [installation.id] }
    case 'absent':
      return {}
  }
}
