import { WorkflowNotFoundError } from '@temporalio/client'
import { cleanupSignal, INSTALLATION_REMOVAL } from '../../workflows/messages.ts'
import { installationKey } from '../../workflows/search-attributes.ts'
import { searchable } from './describe-run.ts'
import type { Dispatch } from './dispatch-event.ts'

/**
 * Does what a cleanup webhook does for each run of the installation that Temporal lists as open, and answers how many
 * there were. The list lags behind by seconds, so a run that has just begun may be missing.
 */
export async function withdrawOpenRuns(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  installationId: string,
): Promise<number> {
  const query = [
    `${installationKey.name} = ${quoted(searchable(installationId))}`,
    `TaskQueue = ${quoted(taskQueue)}`,
    `WorkflowType != '${INSTALLATION_REMOVAL}'`,
    `ExecutionStatus = 'Running'`,
  ].join(' AND ')
  let open = 0
  for await (const { workflowId } of workflows.list({ query })) {
    open += 1
    try {
      await workflows.getHandle(workflowId).signal(cleanupSignal)
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
