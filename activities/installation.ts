import type { RemovalPass, RemovalRequest } from '../src/domain/installation-removal.ts'
import { runStep } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'
import { inParallel } from './in-parallel.ts'

const AT_A_TIME = 4

export function createInstallationActivities(dependencies: Dependencies) {
  const { actions, holdpoint, installations, runs, log } = dependencies
  return {
    /** From then on no installation of that id is taken again. The second time it is closed already. */
    async closeInstallation({ installationId }: { installationId: string }): Promise<void> {
      await installations?.updateInstallation(installationId, { state: 'removing' })
    },

    /**
     * Tells every open run of the installation to undo itself, and has whatever exists of it at the providers destroyed:
     * by the runs of its keys, as always. Answers how much it found; the second time, only what is still there.
     */
    async withdrawInstallation({ installationId, because }: RemovalRequest): Promise<RemovalPass> {
      return await runStep(dependencies, { installationId }, async (call) => {
        let found = await runs.withdrawOpen(installationId)
        for (const { slug, definition } of actions.values()) {
          const listed = (await definition.list?.({ ...call, action: slug })) ?? []
          const own = listed.filter(
            (object) =>
              object.holdpoint === holdpoint &&
              (object.owner ?? object.resource)?.installationId === installationId,
          )
          found += own.length
          await inParallel(own, AT_A_TIME, async ({ owner, name }) => {
            call.signal.throwIfAborted()
            if (owner) await runs.withdraw(owner, because)
            else await definition.expire?.({ ...call, action: slug, name, atOnce: true })
          })
        }
        log.info('installation.withdrawn', { installationId, found })
        return { found }
      })
    },

    /** Forgets the installation with its token and all that is known of it. The second time it does nothing. */
    async forgetInstallation({ installationId }: { installationId: string }): Promise<void> {
      await installations?.removeInstallation(installationId)
      log.info('installation.forgotten', { installationId })
    },
  }
}
