import type { RemovalPass } from '../src/domain/installation-removal.ts'
import { isWithin, type RemovalScope } from '../src/domain/removal-scope.ts'
import { runStep } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'
import { inParallel } from './in-parallel.ts'

const AT_A_TIME = 4

export interface Withdrawal {
  readonly scope: RemovalScope
  /** One sentence for whoever opens the runs that it withdraws. */
  readonly because: string
}

/**
 * Tells every open run within the scope to undo itself, and has whatever exists of it at the providers destroyed: by the
 * runs of its keys, as always. Of an installation its resources go too, once nothing else is left. Answers how much it
 * found; the second time, only what is still there.
 */
export async function withdraw(
  dependencies: Dependencies,
  { scope, because }: Withdrawal,
): Promise<RemovalPass> {
  const { actions, holdpoint, installations, runs, log } = dependencies
  return await runStep(dependencies, scope, async (call) => {
    let found = await runs.withdrawOpen(scope)
    for (const { slug, definition } of actions.values()) {
      const listed = (await definition.list?.({ ...call, action: slug })) ?? []
      const own = listed.filter(
        (object) =>
          object.holdpoint === holdpoint && isWithin(scope, object.owner ?? object.resource),
      )
      found += own.length
      await inParallel(own, AT_A_TIME, async ({ owner, name }) => {
        call.signal.throwIfAborted()
        if (owner) await runs.withdraw(owner, because)
        else await definition.expire?.({ ...call, action: slug, name, atOnce: true })
      })
    }
    // Resources go last: what was made of them may need them to be destroyed.
    if (found === 0 && 'installationId' in scope && scope.resourceId === undefined) {
      const { installationId } = scope
      const resources = (await installations?.listResources(installationId)) ?? []
      found += resources.length
      await inParallel(resources, AT_A_TIME, async ({ id: resourceId }) => {
        call.signal.throwIfAborted()
        await runs.removeBareResource({ installationId, resourceId }, because)
      })
    }
    log.info('removal.withdrawn', { ...scope, found })
    return { found }
  })
}

export function createWithdrawalActivities(dependencies: Dependencies) {
  return {
    /** Has everything within the scope told to go; see `withdraw`. */
    withdrawScope: (request: Withdrawal): Promise<RemovalPass> => withdraw(dependencies, request),
  }
}
