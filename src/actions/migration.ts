import { ActionFailure } from '../domain/failure.ts'
import type { BranchConnection } from '../drivers/driver.ts'
import type { ProvisionCall } from './define-action.ts'

/**
 * Changes a branch before its build may use it. May be cut off anywhere and be called again, by another process too,
 * so the second time it must do only what is missing.
 */
export type Migration = (branch: BranchConnection, call: BranchStepCall) => Promise<void>

/** What a step on a branch gets of the action. */
export type BranchStepCall = Pick<
  ProvisionCall<unknown>,
  'key' | 'deployment' | 'signal' | 'progress' | 'log'
>

/** A migration that did not get through, in a text without secrets. */
export function migrationFailed(
  message: string,
  { retryable = false }: { retryable?: boolean } = {},
): ActionFailure {
  // No cause: an error of a database or a program may hold anything, and causes are kept in histories.
  return new ActionFailure('migration_failed', message, { retryable })
}
