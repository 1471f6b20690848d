import type { Installation, Project } from './project.ts'

/** What Vercel tells once an integration is uninstalled from a team. */
export function installationRemovedEvent(
  { id, teamId }: Installation,
  projects: readonly Project[],
): { type: string; payload: Record<string, unknown> } {
  const connected = projects.filter(({ installation }) => installation.id === id)
  return {
    type: 'integration-configuration.removed',
    payload: {
      configuration: {
        id,
        projectSelection: 'selected',
        projects: connected.map((project) => project.id),
      },
      team: { id: teamId },
      user: { id: 'user-1' },
    },
  }
}

/** What Vercel tells once an installation has moved to another team. */
export function installationTransferredEvent(
  { id, teamId }: Installation,
  previousTeamId: string,
): { type: string; payload: Record<string, unknown> } {
  return {
    type: 'integration-configuration.transferred',
    payload: {
      configuration: { id },
      installationId: id,
      previousTeamId,
      newTeamId: teamId,
      team: { id: teamId },
      user: { id: 'user-1' },
    },
  }
}
