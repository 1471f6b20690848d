import type { Client } from '@temporalio/client'
import type { ActionRuns } from '../../activities/index.ts'
import type { Dispatch } from '../dispatch/dispatch-event.ts'
import { removeResource } from '../dispatch/remove-resource.ts'
import { startAction } from '../dispatch/start-action.ts'
import { withdrawAction } from '../dispatch/withdraw-action.ts'
import { withdrawOpenRuns } from '../dispatch/withdraw-open-runs.ts'
import { actionWorkflowId } from '../domain/action-key.ts'
import { actionEnd } from '../temporal/action-end.ts'
import { latestRun } from '../temporal/latest-run.ts'

/** What activities may see and do of runs: just what webhooks do. */
export function actionRuns(client: Client, dispatch: Dispatch): ActionRuns {
  return {
    latest: (key) => latestRun(client, actionWorkflowId(key)),
    end: (key) => actionEnd(client, actionWorkflowId(key)),
    async withdraw(key, because) {
      await withdrawAction(dispatch, { key }, 'cleaned', because)
    },
    withdrawOpen: (scope) => withdrawOpenRuns(dispatch, scope),
    removeBareResource: (key, because) => removeResource(dispatch, { key, because, isBare: true }),
    async resume(key, { brokenOff, because }) {
      await startAction(
        dispatch,
        { key },
        { brokenOff, because: `Reconciliation found it. ${because}` },
      )
    },
  }
}
