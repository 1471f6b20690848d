import { isRunning } from '../../src/temporal/embedded-process.ts'
import type { ProcessTree } from '../processes/usage.ts'
import type { TemporalPlace } from './system.ts'

/** A Temporal server that somebody runs: started, tuned and ended without the benchmark. */
export interface OwnServer {
  readonly temporal: TemporalPlace
  /** Undefined: nobody told, so what it uses is not measured. */
  readonly server: ProcessTree | undefined
  readonly database: ProcessTree | undefined
}

/**
 * The server that `TEMPORAL_ADDRESS` and `TEMPORAL_NAMESPACE` name; `TEMPORAL_SERVER_PID` and `TEMPORAL_DATABASE_PID` tell
 * whose processor time and memory are its own. Throws when there is no address, or no process of such an id here.
 */
export async function readOwnServer(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<OwnServer> {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace = 'default' } = variables
  if (!address) {
    throw new Error(
      'No TEMPORAL_ADDRESS is set, so there is no server of your own to measure: set it, or leave ownServer out of --systems.',
    )
  }
  return {
    temporal: { address, namespace },
    server: await processNamed('TEMPORAL_SERVER_PID', variables),
    database: await processNamed('TEMPORAL_DATABASE_PID', variables),
  }
}

async function processNamed(
  name: string,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<ProcessTree | undefined> {
  const value = variables[name]
  if (!value) return undefined
  const pid = Number(value)
  if (Number.isInteger(pid) && pid > 0 && (await isRunning(pid))) return { pid }
  throw new Error(
    `${name} is ${value}, and no such process runs on this machine, so what it uses would count as nothing: set it to the id of a running process, or leave it unset.`,
  )
}
