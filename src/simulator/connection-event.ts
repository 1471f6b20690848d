import type { Connection, Project } from './project.ts'

export type ConnectionEventKind = 'connected' | 'disconnected'
export type ConnectionEventType = `integration-resource.project-${ConnectionEventKind}`

/** What Vercel tells when a resource is connected to a project, or no longer. */
export function connectionEvent(
  kind: ConnectionEventKind,
  project: Project,
  { resourceId, actions }: Connection,
): { type: ConnectionEventType; payload: Record<string, unknown> } {
  const { installation } = project
  return {
    type: `integration-resource.project-${kind}`,
    payload: {
      configuration: { id: installation.id },
      installationId: installation.id,
      resourceId,
      project: { id: project.id, ...(kind === 'connected' && { name: project.name }) },
      projectId: project.id,
      targets: [...new Set(actions.flatMap(({ environments }) => environments))],
      team: { id: installation.teamId },
      user: { id: null },
    },
  }
}
