import { startBare } from './bare.ts'
import { startHoldpoint } from './holdpoint.ts'
import { startPlain } from './plain.ts'
import type { RunningSystem, Surroundings, SystemId } from './system.ts'

function ownServerAddress(): string {
  const { TEMPORAL_ADDRESS: address } = process.env
  if (address) return address
  throw new Error(
    'No TEMPORAL_ADDRESS is set, so there is no server of your own to measure: set it, or leave ownServer out of --systems.',
  )
}

/** Starts a system on nothing, and returns when it takes webhooks. */
export function startSystem(id: SystemId, surroundings: Surroundings): Promise<RunningSystem> {
  switch (id) {
    case 'holdpoint':
      return startHoldpoint(surroundings)
    case 'ownServer':
      return startHoldpoint(surroundings, { temporalAddress: ownServerAddress() })
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
