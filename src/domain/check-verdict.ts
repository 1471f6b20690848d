import type { ActionEnd } from './action-run.ts'
import type { CheckVerdict } from './check-run.ts'

/**
 * What the end of an action means for the check that looks at what it made; undefined: it is there to be looked at.
 * `none` means that the deployment has no such action.
 */
export function verdictOnAction(action: string, end: ActionEnd | 'none'): CheckVerdict | undefined {
  if (end === 'none')
    return {
      conclusion: 'skipped',
      text: `The action ${action} was not chosen for this deployment, so there is nothing to check.`,
    }
  switch (end.phase) {
    case 'succeeded':
      return undefined
    case 'failed':
      return { conclusion: 'failed', text: `The action ${action} failed: ${end.because}` }
    case 'skipped':
      return {
        conclusion: 'skipped',
        text: `The action ${action} made nothing for this deployment, so there is nothing to check.`,
      }
    case 'undoing':
    case 'canceled':
    case 'cleaned':
      return {
        conclusion: 'canceled',
        text: `The action ${action} was taken back, so there is nothing left to check.`,
      }
  }
}
