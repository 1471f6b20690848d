import { setTimeout as sleep } from 'node:timers/promises'
import type { BranchRef } from '../../domain/branch-ref.ts'
import type { DriverCall } from '../driver.ts'
import type { Connection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import { isInUse, sourceMissing } from './source.ts'
import { identifier, printable } from './sql.ts'

export interface CopyRequest {
  readonly source: string
  readonly ref: BranchRef
  /** How long to wait for others to leave the source. */
  readonly sourceWaitMs: number
}

/** So long Postgres itself waits for others to leave the source; new connections wait meanwhile. */
const SERVER_WAIT_MS = 5_000

/**
 * Copies the source's files to a new database that belongs to the branch's role. Answers false when the source was
 * in use for the whole of `sourceWaitMs`; nothing was made then.
 */
export async function copyByTemplate(
  connection: Connection,
  { source, ref, sourceWaitMs }: CopyRequest,
  call: DriverCall,
): Promise<boolean> {
  const deadline = performance.now() + sourceWaitMs
  const statement = `CREATE DATABASE ${identifier(ref.name)} OWNER ${identifier(ref.name)} TEMPLATE ${identifier(source)}`
  for (;;) {
    const serverWaitsTooLong = performance.now() + SERVER_WAIT_MS > deadline
    if (serverWaitsTooLong && !(await becomesFree(connection, source, { deadline, call })))
      return false
    try {
      await connection.query(statement)
      return true
    } catch (error) {
      if (errorCode(error) === '3D000') throw sourceMissing(source)
      if (errorCode(error) !== '55006') throw error
      if (performance.now() >= deadline) return false
      call.progress(`${printable(source)} is in use; waiting for its connections to end`)
    }
  }
}

async function becomesFree(
  connection: Connection,
  source: string,
  { deadline, call }: { deadline: number; call: DriverCall },
): Promise<boolean> {
  while (await isInUse(connection, source)) {
    if (performance.now() >= deadline) return false
    await sleep(100, undefined, { signal: call.signal })
  }
  return true
}
