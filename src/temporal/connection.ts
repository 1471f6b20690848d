import { Client } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker'
import { ActionFailure } from '../domain/failure.ts'

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

/** Connects. Throws a retryable `ActionFailure` when nobody answers: at boot, Temporal may come up later than we do. */
export async function connectTemporal(
  { connectionOptions, namespace }: TemporalAddress,
  dataConverter: DataConverter,
): Promise<TemporalLink> {
  try {
    const connection = await NativeConnection.connect(connectionOptions)
    return { connection, namespace, client: new Client({ connection, namespace, dataConverter }) }
  } catch (cause) {
    throw new ActionFailure(
      'temporal_unreachable',
      `Temporal at ${connectionOptions.address ?? 'localhost:7233'} cannot be reached, so no webhook can be accepted durably. Start it, or correct TEMPORAL_ADDRESS and its TLS settings.`,
      { retryable: true, cause },
    )
  }
}
