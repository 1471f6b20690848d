import type { CheckRun, ProjectCheck } from './check.ts'
import type { Deployment } from './deployment.ts'
import type { Dials } from './dials.ts'
import { timeOutCheckRun } from './end-check-run.ts'
import { newId } from './identifiers.ts'
import type { Surroundings } from './surroundings.ts'

/** Starts the runs of those checks of the project that wait for nothing (`created`), or for the build (`built`). */
export function startCheckRuns(
  deployment: Deployment,
  when: 'created' | 'built',
  surroundings: Surroundings,
): void {
  const { project, environment } = deployment
  const due = project.checks.filter(
    ({ requires, targets }) =>
      targets.includes(environment) && (requires === 'none') === (when === 'created'),
  )
  for (const check of due) startCheckRun(deployment, check, surroundings)
}

function startCheckRun(
  deployment: Deployment,
  check: ProjectCheck,
  surroundings: Surroundings,
): void {
  const createdAt = surroundings.now()
  const run: CheckRun = {
    id: newId('ckr'),
    check,
    status: 'queued',
    createdAt,
    updatedAt: createdAt,
    acceptedUpdates: [],
  }
  deployment.checkRuns.push(run)
  surroundings.announce(deployment, 'check-queued', { checkRun: run })
  surroundings.scheduleCheckRun(run, timeoutMs(check, surroundings.dials), () =>
    timeOutCheckRun(deployment, run, surroundings),
  )
  surroundings.emitCheckRunWebhook('start', deployment, run)
}

function timeoutMs({ timeout }: ProjectCheck, { checkTimeoutUnit }: Dials): number {
  return checkTimeoutUnit === 'seconds' ? timeout * 1000 : timeout
}
