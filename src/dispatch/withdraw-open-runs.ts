import { WorkflowNotFoundError } from '@temporalio/client'
import {
  cancelSignal,
  cleanupSignal,
  COMPENSATION,
  DEPLOYMENT_ACTION,
  DEPLOYMENT_CHECK,
  DEPLOYMENT_CHECK_RUN,
} from '../../workflows/messages.ts'
import * as attribute from '../../workflows/search-attributes.ts'
import type { RemovalScope } from '../domain/removal-scope.ts'
import { searchable } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'

const CHECKS = [DEPLOYMENT_CHECK, DEPLOYMENT_CHECK_RUN]
const TYPES = [DEPLOYMENT_ACTION, COMPENSATION, ...CHECKS]

/**
 * Withdraws each run of an action or check within the scope that Temporal lists as open, as a webhook would: a cleanup
 * for actions, a cancel for checks. Answers how many there were. The list lags behind by seconds, so a run that has just
 * begun may be missing.
 */
export async function withdrawOpenRuns(
  { workflows, taskQueue }: Pick<Dispatch, 'workflows' | 'taskQueue'>,
  scope: RemovalScope,
): Promise<number> {
  const query = [
    ...idsOf(scope).map(([key, id]) => `${key.name} = ${quoted(searchable(id))}`),
    `TaskQueue = ${quoted(taskQueue)}`,
    `WorkflowType IN (${TYPES.map(quoted).join(', ')})`,
    `ExecutionStatus = 'Running'`,
  ].join(' AND ')
  let open = 0
  for await (const { workflowId, type } of workflows.list({ query })) {
    open += 1
    try {
      const signal = CHECKS.includes(type) ? cancelSignal : cleanupSignal
      await workflows.getHandle(workflowId).signal(signal)
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
  return open
}

function idsOf(scope: RemovalScope) {
  if ('deploymentId' in scope) return [[attribute.deploymentKey, scope.deploymentId]] as const
  const { installationId, resourceId } = scope
  const installation = [attribute.installationKey, installationId] as const
  if (resourceId === undefined) return [installation]
  return [installation, [attribute.resourceKey, resourceId] as const]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
