import { startBare } from './bare.ts'
import { startHoldpoint } from './holdpoint.ts'
import { readOwnServer } from './own-server.ts'
import { startPlain } from './plain.ts'
import type { RunningSystem, Surroundings, SystemId } from './system.ts'

/** Starts a system on nothing, and returns when it takes webhooks. */
export async function startSystem(
  id: SystemId,
  surroundings: Surroundings,
): Promise<RunningSystem> {
  switch (id) {
    case 'holdpoint':
      return startHoldpoint(surroundings)
    case 'ownServer':
      return startHoldpoint(surroundings, { ownServer: await readOwnServer(process.env) })
    case 'bare':
      return startBare(surroundings, { sideBySide: false })
    case 'bareSideBySide':
      return startBare(surroundings, { sideBySide: true })
    case 'plain':
      return startPlain(surroundings, { tunedServer: false })
    case 'plainTuned':
      return startPlain(surroundings, { tunedServer: true })
  }
}
