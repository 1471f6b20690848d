import type { CheckRun } from './check.ts'
import type { Deployment } from './deployment.ts'
import type { UpdateVerdict } from './apply-update.ts'
import type { Surroundings } from './surroundings.ts'
import type { CheckRunUpdate } from './validate-check.ts'

/** Takes a valid update of a check run. One that is completed is answered as the dials say, and never changes. */
export function applyCheckUpdate(
  deployment: Deployment,
  run: CheckRun,
  update: CheckRunUpdate,
  surroundings: Surroundings,
): UpdateVerdict {
  const { dials, now } = surroundings
  if (run.status === 'completed') {
    const status = dials.checkUpdateAfterEnd
    if (status !== 200)
      return { kind: 'refused', status, message: `The check run has ${run.conclusion} already` }
    run.acceptedUpdates.push(update)
    return { kind: 'accepted' }
  }
  run.acceptedUpdates.push(update)
  const { status, completedAt, ...fields } = update
  Object.assign(run, fields)
  run.updatedAt = now()
  if (status !== undefined) run.status = status
  if (status === 'running') surroundings.announce(deployment, 'check-running', { checkRun: run })
  if (status === 'completed') {
    surroundings.unscheduleCheckRun(run)
    run.completedAt = completedAt ?? run.updatedAt
    const text = update.conclusionText
    surroundings.announce(deployment, 'check-completed', { checkRun: run, text })
  }
  return { kind: 'accepted' }
}
