import type { RemovalPass, RemovalRequest } from '../src/domain/installation-removal.ts'
import type { Dependencies } from './dependencies.ts'
import { withdraw } from './withdraw.ts'

export function createInstallationActivities(dependencies: Dependencies) {
  const { installations, log } = dependencies
  return {
    /** From then on no installation of that id is taken again. The second time it is closed already. */
    async closeInstallation({ installationId }: { installationId: string }): Promise<void> {
      await installations?.updateInstallation(installationId, { state: 'removing' })
    },

    /** Has everything of the installation told to go; see `withdraw`. */
    async withdrawInstallation({ installationId, because }: RemovalRequest): Promise<RemovalPass> {
      return await withdraw(dependencies, { scope: { installationId }, because })
    },

    /** Forgets the installation with its token and all that is known of it. The second time it does nothing. */
    async forgetInstallation({ installationId }: { installationId: string }): Promise<void> {
      await installations?.removeInstallation(installationId)
      log.info('installation.forgotten', { installationId })
    },
  }
}
