import type { CheckRun } from './check.ts'
import type { Deployment } from './deployment.ts'
import type { Surroundings } from './surroundings.ts'

/** Nobody waits for the run any more. */
export function timeOutCheckRun(
  deployment: Deployment,
  run: CheckRun,
  surroundings: Surroundings,
): void {
  end(run, 'timeout', surroundings)
  surroundings.announce(deployment, 'check-timed-out', { checkRun: run })
}

/** Cancels a run and tells the integration. Throws when it is completed. */
export function cancelCheckRun(
  deployment: Deployment,
  run: CheckRun,
  surroundings: Surroundings,
): void {
  if (run.status === 'completed')
    throw new Error(`The check ${run.check.name} has ${run.conclusion}: it cannot be canceled`)
  if (surroundings.dials.cancelEndsCheckRun) end(run, 'canceled', surroundings)
  surroundings.announce(deployment, 'check-canceled', { checkRun: run })
  surroundings.emitCheckRunWebhook('cancel', deployment, run)
}

/** Cancels the runs of a deployment that are not over. */
export function cancelCheckRuns(deployment: Deployment, surroundings: Surroundings): void {
  const open = deployment.checkRuns.filter(({ status }) => status !== 'completed')
  for (const run of open) cancelCheckRun(deployment, run, surroundings)
}

function end(
  run: CheckRun,
  conclusion: 'timeout' | 'canceled',
  { now, unscheduleCheckRun }: Surroundings,
): void {
  unscheduleCheckRun(run)
  run.status = 'completed'
  run.conclusion = conclusion
  run.updatedAt = now()
  run.completedAt = run.updatedAt
}
