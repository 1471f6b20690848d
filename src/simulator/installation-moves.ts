import type { UnsentEvent } from './build-webhook.ts'
import { newId } from './identifiers.ts'
import { tellInstallation, tellUninstallation } from './install.ts'
import { installationRemovedEvent, installationTransferredEvent } from './installation-event.ts'
import type { Installation } from './project.ts'
import { announceResource, type ResourceSurroundings } from './resource-surroundings.ts'
import type { Simulator } from './simulator.ts'

export type InstallationMoves = Pick<
  Simulator,
  'createInstallation' | 'install' | 'uninstall' | 'transferInstallation'
>

/** What teams do with the integration. `send` tells the provider whatever is known of the installation by then. */
export function installationMoves(
  installations: Installation[],
  surroundings: ResourceSurroundings,
  send: (event: UnsentEvent) => void,
): InstallationMoves {
  const { projects, resources, emit } = surroundings

  function create(id = newId('icfg'), accessToken = newId('token')): Installation {
    const teamSlug = `team-${installations.length + 1}`
    const installation = { id, teamId: newId('team'), teamSlug, accessToken, enabled: true }
    installations.push(installation)
    return installation
  }

  /** From then on its token is refused, its resources are gone, and nobody is told of its deployments. */
  function forget(installation: Installation): void {
    const index = installations.indexOf(installation)
    if (index >= 0) installations.splice(index, 1)
    installation.enabled = false
    for (const resource of resources.filter((each) => each.installation === installation)) {
      resources.splice(resources.indexOf(resource), 1)
      announceResource(resource, 'deleted', surroundings)
    }
  }

  return {
    createInstallation: ({ id, accessToken } = {}) => create(id, accessToken),
    async install() {
      const installation = create()
      try {
        await tellInstallation(surroundings, installation)
      } catch (error) {
        forget(installation)
        throw error
      }
      return installation
    },
    async uninstall(installation) {
      const answer = await tellUninstallation(surroundings, installation)
      forget(installation)
      send(installationRemovedEvent(installation, projects))
      return answer
    },
    transferInstallation(installation, newTeamId) {
      const previousTeamId = installation.teamId
      installation.teamId = newTeamId
      installation.teamSlug = newTeamId.toLowerCase().replaceAll('_', '-')
      emit(installationTransferredEvent(installation, previousTeamId), installation)
    },
  }
}
