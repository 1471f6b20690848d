import { WorkflowNotFoundError } from '@temporalio/client'
import {
  cancelSignal,
  cleanupSignal,
  COMPENSATION,
  DEPLOYMENT_ACTION,
  DEPLOYMENT_CHECK_RUN,
} from '../../workflows/messages.ts'
import { installationKey } from '../../workflows/search-attributes.ts'
import { searchable } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'

const TYPES = [DEPLOYMENT_ACTION, COMPENSATION, DEPLOYMENT_CHECK_RUN]

/**
 * Withdraws each run of the installation that Temporal lists as open, as a webhook would: a cleanup for actions, a
 * cancel for checks. Answers how many there were. The list lags behind by seconds, so a run that has just begun may be
 * missing.
 */
export async function withdrawOpenRuns(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  installationId: string,
): Promise<number> {
  const query = [
    `${installationKey.name} = ${quoted(searchable(installationId))}`,
    `TaskQueue = ${quoted(taskQueue)}`,
    `WorkflowType IN (${TYPES.map(quoted).join(', ')})`,
    `ExecutionStatus = 'Running'`,
  ].join(' AND ')
  let open = 0
  for await (const { workflowId, type } of workflows.list({ query })) {
    open += 1
    try {
      const signal = type === DEPLOYMENT_CHECK_RUN ? cancelSignal : cleanupSignal
      await workflows.getHandle(workflowId).signal(signal)
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
  return open
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
