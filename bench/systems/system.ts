import type { ProcessTree } from '../processes/usage.ts'

export const SYSTEMS = {
  holdpoint: 'Holdpoint',
  ownServer: 'Holdpoint, own server',
  bare: 'bare',
  bareSideBySide: 'bare, side by side',
  plain: 'plain',
  plainTuned: 'plain, tuned server',
} as const

/**
 * - `holdpoint`: `holdpoint start` with its embedded Temporal server, on a database file.
 * - `ownServer`: the same beside the Temporal server at `TEMPORAL_ADDRESS`, for example one on Postgres.
 * - `bare`: a handler that calls Vercel three times in sequence, without durability; the floor.
 * - `bareSideBySide`: the same, reading the deployment while it reports `running`.
 * - `plain`: a Temporal application with default settings, on a development server with default flags and a database file.
 * - `plainTuned`: the same application, on a server with the flags of Holdpoint's embedded one.
 */
export type SystemId = keyof typeof SYSTEMS

/** Where runs are found. */
export interface TemporalPlace {
  readonly address: string
  readonly namespace: string
}

/**
 * A system that takes webhooks. Nothing of it outlives `stop`, and nothing outlives this process; but a server that runs
 * by itself goes on, and keeps what it was given.
 */
export interface RunningSystem {
  readonly webhookUrl: string
  /** The process that takes the webhooks and works. */
  readonly app: ProcessTree
  /** Its Temporal server; unset too when nobody told its process. */
  readonly server?: ProcessTree | undefined
  /** The database of that server, where it is a process of its own. */
  readonly database?: ProcessTree | undefined
  /** Unset: it works without Temporal. */
  readonly temporal?: TemporalPlace
  /** From the start of its first process until it takes webhooks, in milliseconds. */
  readonly startUpMs: number
  readonly stop: () => Promise<void>
}

/** What a system needs to be started. */
export interface Surroundings {
  readonly vercelUrl: string
  readonly clientSecret: string
  readonly cliPath: string
  /** Empty, and the system's alone. */
  readonly directory: string
}
