import type { ActionKey } from '../domain/action-key.ts'
import type { ActionPhase } from '../domain/action-run.ts'
import { describeWork } from './describe-work.ts'

/** What the Web UI shows of a run of an action; see `describeWork`. */
export function describeRun(key: ActionKey, about: { phase?: ActionPhase; because: string }) {
  const { installationId, resourceId, deploymentId, action } = key
  return describeWork(
    { installationId, resourceId, deploymentId, action },
    { ...about, summary: `${action} of ${resourceId} for ${deploymentId}` },
  )
}
