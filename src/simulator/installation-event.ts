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
