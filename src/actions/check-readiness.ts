import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Secret } from '../domain/secret.ts'
import type { ActionPolicy } from './action-policy.ts'
import {
  type ActionCall,
  type ActionDefinition,
  defineAction,
  type Environment,
} from './define-action.ts'

/** Answers undefined when ready, else one sentence on what is missing. May throw: that counts as not ready. */
export type Probe = (call: Pick<ActionCall, 'key' | 'signal'>) => Promise<string | undefined>

export interface CheckReadinessSettings {
  readonly name: string
  readonly description?: string
  readonly suggest?: readonly Environment[]
  /** How long the resource may take to answer. Default 2 minutes, as every action. */
  readonly deadline?: string
  /** For whom it works; it makes nothing that a quota or a time to live would be for. */
  readonly policy?: ActionPolicy
  readonly probe: Probe
  /** Pause between two probes, in milliseconds. Default 1000. */
  readonly intervalMs?: number
}

/**
 * Holds the build until the resource answers, and fails it when the deadline passes first. Changes nothing and
 * hands over no secrets.
 */
export function checkReadiness(
  settings: CheckReadinessSettings,
): ActionDefinition<Record<never, never>, void> {
  const { probe, intervalMs = 1000, ...declaration } = settings
  return defineAction({
    ...declaration,
    provision: (call) => untilReady(() => probe(call), call, intervalMs),
  })
}

/** Asks until nothing is missing any more; tells meanwhile what is. Throws when the call is aborted. */
export async function untilReady(
  missing: () => Promise<string | undefined>,
  call: Pick<ActionCall, 'signal' | 'progress'>,
  intervalMs: number,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const what = await missingOrSilent(missing, call)
    if (what === undefined) return
    call.progress(`Not ready yet (${attempt}): ${what}`)
    await delay(intervalMs, undefined, { signal: call.signal })
  }
}

async function missingOrSilent(
  missing: () => Promise<string | undefined>,
  call: Pick<ActionCall, 'signal'>,
): Promise<string | undefined> {
  try {
    return await missing()
  } catch {
    call.signal.throwIfAborted()
    // What a probe throws may hold a connection string, so it is not repeated here.
    return 'The resource did not answer.'
  }
}

/** Ready when a GET of the URL answers with a 2xx status. Each try may take `timeoutMs` (default 5000). */
export function httpProbe(
  url: string | ((resourceId: string) => string),
  { timeoutMs = 5000 }: { timeoutMs?: number } = {},
): Probe {
  return async ({ key, signal }) => {
    const response = await fetch(
      typeof url === 'string' ? url : url(encodeURIComponent(key.resourceId)),
      {
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      },
    )
    await response.body?.cancel()
    return response.ok ? undefined : `The resource answered ${response.status}.`
  }
}

/** Ready when the query succeeds on the Postgres behind the URL. Each try may take `timeoutMs` (default 5000). */
export function sqlProbe(
  url: (resourceId: string) => Secret | string,
  { query = 'select 1', timeoutMs = 5000 }: { query?: string; timeoutMs?: number } = {},
): Probe {
  return async ({ key, signal }) => {
    const address = url(key.resourceId)
    const client = new pg.Client({
      connectionString: typeof address === 'string' ? address : address.reveal(),
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      application_name: 'holdpoint',
    })
    // A connection that breaks while idle must not end the process; the query below tells of it.
    client.on('error', () => {})
    // `end` would wait for a server that took the connection and says nothing.
    const stop = () => client.connection.stream.destroy()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await client.connect()
      await client.query(query)
      return undefined
    } finally {
      signal.removeEventListener('abort', stop)
      await client.end().catch(() => {})
    }
  }
}
