import { DEPLOYMENT_CHECK_RUN, type DeploymentCheckRun } from '../../workflows/messages.ts'
import type { CheckRunEvent } from '../domain/check-run.ts'
import { checkRunOptions } from './check-run-options.ts'
import type { Dispatch } from './dispatch-event.ts'
import { unlessKnown } from './unless-known.ts'

/** Starts the run of a check. `duplicate` when it was delivered before, or its cancel overtook it. */
export async function startCheckRun(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  run: CheckRunEvent,
): Promise<'accepted' | 'duplicate'> {
  return await unlessKnown(() =>
    workflows.start<DeploymentCheckRun>(DEPLOYMENT_CHECK_RUN, {
      ...checkRunOptions(run, 'Vercel waits for the conclusion of this check.'),
      workflowIdConflictPolicy: 'FAIL',
      taskQueue,
    }),
  )
}
