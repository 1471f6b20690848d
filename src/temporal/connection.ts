import { setTimeout as delay } from 'node:timers/promises'
import { Client } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker'

export interface TemporalAddress {
  /** As Temporal's own settings give it: address, TLS, API key. */
  readonly connectionOptions: NativeConnectionOptions
  readonly namespace: string
}

/** One connection for the worker and the client: what both need is asked for once. */
export interface TemporalLink {
  readonly connection: NativeConnection
  readonly client: Client
  readonly namespace: string
}

/** How long an attempt to connect is waited for before the next. */
const PAUSE_MS = 500

/**
 * Connects, and tries again until `giveUp` says so: at boot, Temporal may come up later than we do. `onFailure` hears
 * of every tenth failure. Throws in three parts when it gives up.
 */
export async function connectTemporal(
  { connectionOptions, namespace }: TemporalAddress,
  dataConverter: DataConverter,
  { giveUp, onFailure = () => {} }: { giveUp: () => boolean; onFailure?: (error: unknown) => void },
): Promise<TemporalLink> {
  for (let attempt = 0; ; attempt++) {
    try {
      const connection = await NativeConnection.connect(connectionOptions)
      return { connection, namespace, client: new Client({ connection, namespace, dataConverter }) }
    } catch (cause) {
      if (giveUp()) {
        throw new Error(
          `Temporal at ${connectionOptions.address ?? 'localhost:7233'} cannot be reached, so no webhook can be accepted durably. Start it, or correct TEMPORAL_ADDRESS and its TLS settings.`,
          { cause },
        )
      }
      if (attempt % 10 === 0) onFailure(cause)
      await delay(PAUSE_MS)
    }
  }
}
