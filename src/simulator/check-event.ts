import type { CheckRun } from './check.ts'
import type { Deployment } from './deployment.ts'
import type { Dials } from './dials.ts'
import type { CheckRunEventKind } from './surroundings.ts'
import { viewCheckRun } from './view-check.ts'

export type CheckRunEventType = `deployment.checkrun.${CheckRunEventKind}`

/** What Vercel tells of a check run: all of it, or little more than its id, as the dials have it. */
export function checkRunEvent(
  kind: CheckRunEventKind,
  deployment: Deployment,
  run: CheckRun,
  dials: Dials,
): { type: CheckRunEventType; payload: Record<string, unknown> } {
  const { project } = deployment
  const { installation, connections } = project
  const full = dials.checkRunEvents === 'full'
  const resources = connections.map(({ resourceId }) => ({ externalResourceId: resourceId }))
  return {
    type: `deployment.checkrun.${kind}`,
    payload: {
      checkRun: full
        ? viewCheckRun(deployment, run)
        : { id: run.id, checkId: run.check.id, deploymentId: deployment.id },
      deployment: {
        id: deployment.id,
        ...(full && { url: deployment.url, meta: { ...deployment.meta } }),
      },
      project: { id: project.id },
      ...(dials.teamInPayload && { team: { id: installation.teamId } }),
      user: { id: null },
      integrations: [{ installationId: installation.id, ...(full && { resources }) }],
      ...dials.extraPayloadKeys,
    },
  }
}
