import { setTimeout as sleep } from 'node:timers/promises'
import type { BranchRef } from '../../domain/branch-ref.ts'
import type { DriverCall } from '../driver.ts'
import {
  type CopyConditions,
  chooseStrategy,
  hasStrategy,
  readConditions,
  type Strategy,
  type TemplateStrategy,
} from './choose-strategy.ts'
import type { Connection } from './connection.ts'
import { errorCode } from './describe-error.ts'
import { isInUse, sourceMissing } from './source.ts'
import { identifier, printable } from './sql.ts'
import { inBytes, tellProgress } from './tell-progress.ts'

export interface CopyRequest {
  readonly source: string
  readonly ref: BranchRef
  /** How long to wait for others to leave the source. */
  readonly sourceWaitMs: number
  readonly strategy: Strategy | 'auto'
}

interface TemplateCopyRequest extends CopyRequest {
  readonly strategy: TemplateStrategy | 'auto'
}

/** So long Postgres itself waits for others to leave the source; new connections wait meanwhile. */
const SERVER_WAIT_MS = 5_000

/**
 * Copies the source's files to a new database that belongs to the branch's role. Answers false when the source was
 * in use for the whole of `sourceWaitMs`; nothing was made then. New connections to the source wait for the whole copy.
 */
export async function copyByTemplate(
  connection: Connection,
  { source, ref, sourceWaitMs, strategy }: TemplateCopyRequest,
  call: DriverCall,
): Promise<boolean> {
  const deadline = performance.now() + sourceWaitMs
  const conditions = await readConditions(connection, source)
  if (conditions === undefined) throw sourceMissing(source)
  const chosen = strategy === 'auto' ? chooseStrategy(conditions) : strategy
  if (chosen === 'clone') await connection.query('SET file_copy_method = clone')
  const statement = `CREATE DATABASE ${identifier(ref.name)} OWNER ${identifier(ref.name)} TEMPLATE ${identifier(source)}${clauseFor(chosen, connection)}`
  for (;;) {
    const serverWaitsTooLong = performance.now() + SERVER_WAIT_MS > deadline
    if (serverWaitsTooLong && !(await becomesFree(connection, source, { deadline, call })))
      return false
    const inUse = await isInUse(connection, source)
    try {
      await tellProgress(
        call,
        (seconds) => describeCopy(source, conditions, { seconds, inUse }),
        () => connection.query(statement),
      )
      return true
    } catch (error) {
      if (errorCode(error) === '3D000') throw sourceMissing(source)
      if (errorCode(error) !== '55006') throw error
      if (performance.now() >= deadline) return false
      call.progress(`${printable(source)} is in use; waiting for its connections to end`)
    }
  }
}

function clauseFor(strategy: TemplateStrategy, { version }: Connection): string {
  if (!hasStrategy('wal-log', version)) return ''
  return ` STRATEGY ${strategy === 'wal-log' ? 'WAL_LOG' : 'FILE_COPY'}`
}

// How much is copied already, no ordinary role can ask the server: the new database is not visible yet.
function describeCopy(
  source: string,
  { sizeBytes }: CopyConditions,
  { seconds, inUse }: { seconds: number; inUse: boolean },
): string {
  const size = sizeBytes === undefined ? '' : ` (${inBytes(sizeBytes)})`
  const mayWait = inUse && seconds * 1_000 <= SERVER_WAIT_MS
  const doing = mayWait ? 'is in use and copied as soon as its connections end' : 'is being copied'
  return `${printable(source)}${size} ${doing}, ${seconds} s so far`
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
