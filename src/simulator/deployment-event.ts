import type { UnsentEvent } from './build-webhook.ts'
import type { Deployment } from './deployment.ts'

/** What Vercel tells once a deployment is completely gone. */
export function deploymentCleanupEvent(deployment: Deployment): UnsentEvent {
  const { id, url, meta, environment, project } = deployment
  const named = environment === 'production' || environment === 'staging'
  const custom = !named && environment !== 'preview'
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
        target: named ? environment : null,
        customEnvironmentId: custom ? `env_${environment}` : null,
        regions: ['iad1'],
      },
      project: { id: project.id },
    },
  }
}
