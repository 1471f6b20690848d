import {
  cancelSignal,
  DEPLOYMENT_CHECK_RUN,
  type DeploymentCheckRun,
} from '../../workflows/messages.ts'
import type { CheckRunEvent } from '../domain/check-run.ts'
import { checkRunOptions } from './check-run-options.ts'
import type { Dispatch } from './dispatch-event.ts'
import { unlessKnown } from './unless-known.ts'

/**
 * Signals the open run of the check; with none yet, starts one that checks nothing, which a later start meets.
 * `duplicate` when the run has been concluded: there is nothing left to cancel.
 */
export async function cancelCheckRun(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  run: CheckRunEvent,
): Promise<'accepted' | 'duplicate'> {
  return await unlessKnown(() =>
    workflows.signalWithStart<DeploymentCheckRun>(DEPLOYMENT_CHECK_RUN, {
      ...checkRunOptions(run, 'Vercel canceled this check before its start came in.'),
      taskQueue,
      signal: cancelSignal,
      signalArgs: [],
    }),
  )
}
