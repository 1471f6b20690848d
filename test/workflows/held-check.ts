import { once } from 'node:events'
import type { CheckCall, CheckResult } from '../../src/checks/define-check.ts'
import { gate } from './branch-provider.ts'

export const succeeded: CheckResult = { conclusion: 'succeeded', text: 'All is well.' }

/** A check that says when it has begun, and is done when the test lets go or it is aborted. */
export function heldCheck() {
  const begun = gate()
  const release = gate()
  const ended: string[] = []
  return {
    begun: begun.opened,
    release: release.open,
    ended,
    run: async ({ signal }: CheckCall): Promise<CheckResult> => {
      begun.open()
      await Promise.race([release.opened, once(signal, 'abort')])
      ended.push(signal.aborted ? 'aborted' : 'done')
      signal.throwIfAborted()
      return succeeded
    },
  }
}
