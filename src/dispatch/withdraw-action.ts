import {
  COMPENSATION,
  type Compensation,
  cancelSignal,
  cleanupSignal,
} from '../../workflows/messages.ts'
import type { ActionEvent, Wish } from '../domain/action-event.ts'
import { actionWorkflowId } from '../domain/action-key.ts'
import { describeRun } from './describe-run.ts'
import type { Dispatch } from './dispatch-event.ts'

const WHY = {
  canceled: 'Vercel canceled the action or its deployment.',
  cleaned: 'Vercel removed the deployment.',
} as const

/**
 * Signals the open run of the action, which then undoes itself; with none open, starts a run that destroys what
 * there is. One call does either, so no moment lies between looking and acting.
 */
export async function withdrawAction(
  { workflows, taskQueue }: Dispatch,
  { key }: Pick<ActionEvent, 'key'>,
  wish: Exclude<Wish, 'run'>,
  because?: string,
): Promise<'accepted'> {
  const why = because ?? WHY[wish]
  await workflows.signalWithStart<Compensation>(COMPENSATION, {
    ...describeRun(key, {
      phase: 'undoing',
      because: `${why} No run of the action was open, so this one destroys what is left of it.`,
    }),
    workflowId: actionWorkflowId(key),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    taskQueue,
    args: [{ key, wish }],
    signal: wish === 'canceled' ? cancelSignal : cleanupSignal,
    signalArgs: [],
  })
  return 'accepted'
}
