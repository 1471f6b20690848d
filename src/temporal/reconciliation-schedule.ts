import {
  ScheduleNotFoundError,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client'
import { RECONCILIATION, type Reconciliation } from '../../workflows/messages.ts'
import { describeDuration } from '../domain/duration.ts'
import type { Finding } from '../domain/finding.ts'
import type { ReconciliationPolicy } from '../domain/reconciliation.ts'
import type { ReconciliationReport, Suspect } from '../domain/reconciliation-run.ts'
import type { Log } from '../log.ts'
import type { TemporalLink } from './connection.ts'

/** What of the configuration the Schedule is made of. */
export interface ReconciliationPlan {
  readonly taskQueue: string
  readonly reconciliation: ReconciliationPolicy & { readonly everyMs: number | undefined }
}

const GRPC_NOT_FOUND = 5
/** A run that hangs would keep the Schedule from starting others. */
const LONGEST_RUN = '12 hours'

/** One for each task queue, so that several Holdpoints may share a namespace. */
export function reconciliationScheduleId(taskQueue: string): string {
  return `reconciliation~${taskQueue}`
}

/**
 * Has Temporal run the reconciliation as often as the configuration says: creates the Schedule, brings it up to date,
 * or deletes it where it is switched off. A Schedule that an operator paused stays paused. Never throws, as webhooks
 * need none of it: logs what is wrong and how to mend it.
 */
export async function scheduleReconciliation(
  { client }: TemporalLink,
  plan: ReconciliationPlan,
  log: Log,
): Promise<void> {
  const scheduleId = reconciliationScheduleId(plan.taskQueue)
  const schedule = client.schedule.getHandle(scheduleId)
  const { everyMs } = plan.reconciliation
  try {
    if (everyMs === undefined) await schedule.delete()
    else await schedule.update(({ state }) => ({ ...optionsOf(plan, everyMs), state }))
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) {
      if (everyMs === undefined) return
      try {
        await client.schedule.create({ scheduleId, ...optionsOf(plan, everyMs) })
      } catch (cause) {
        // Another worker that starts at the same time may have been quicker, with the same settings.
        if (!(await schedule.describe().catch(() => undefined))) warn(log, scheduleId, cause)
      }
    } else warn(log, scheduleId, error)
  }
}

function warn(log: Log, scheduleId: string, error: unknown): void {
  log.warn('reconciliation.not_scheduled', {
    message: `The Schedule ${scheduleId} could not be created or updated in Temporal, so what webhooks never told is not looked for. Give this client the right to write Schedules and start again, or run holdpoint gc regularly.`,
    error,
  })
}

function optionsOf(
  { taskQueue, reconciliation }: ReconciliationPlan,
  everyMs: number,
): Omit<ScheduleOptions<ScheduleOptionsStartWorkflowAction<Reconciliation>>, 'scheduleId'> {
  const { minAgeMs, graceMs, cap } = reconciliation
  return {
    spec: { intervals: [{ every: everyMs }], jitter: Math.round(everyMs / 10) },
    policies: { overlap: 'SKIP', catchupWindow: '1 minute' },
    action: {
      type: 'startWorkflow',
      workflowType: RECONCILIATION,
      workflowId: reconciliationScheduleId(taskQueue),
      taskQueue,
      args: [{ policy: { minAgeMs, graceMs, cap }, apply: true }],
      workflowExecutionTimeout: LONGEST_RUN,
      staticSummary: 'Finds what webhooks never told',
    },
  }
}

/** What the latest run of the Schedule remembered; nothing where there is none. */
export async function rememberedSuspects(
  { client }: TemporalLink,
  taskQueue: string,
): Promise<readonly Suspect[]> {
  try {
    const schedule = client.schedule.getHandle(reconciliationScheduleId(taskQueue))
    const { info } = await schedule.describe()
    for (const { action } of info.recentActions.toReversed()) {
      const { workflowId, firstExecutionRunId } = action.workflow
      const run = client.workflow.getHandle<Reconciliation>(workflowId, firstExecutionRunId)
      const { status } = await run.describe()
      if (status.name === 'COMPLETED')
        return ((await run.result()) satisfies ReconciliationReport).suspects
    }
  } catch {
    // Without it, the grace of what Vercel tells no date of begins anew.
  }
  return []
}

/** Whether the reconciliation is scheduled as the configuration says. Throws when Temporal does not answer. */
export async function checkReconciliation(
  { connection, namespace }: TemporalLink,
  { taskQueue, reconciliation: { everyMs } }: ReconciliationPlan,
): Promise<Finding> {
  const subject = 'Reconciliation'
  if (everyMs === undefined)
    return { subject, level: 'ok', message: 'switched off in temporal.config.ts' }
  const scheduleId = reconciliationScheduleId(taskQueue)
  try {
    // Not by a handle, which would open the arguments: the doctor needs no encryption key.
    const { schedule } = await connection.workflowService.describeSchedule({
      namespace,
      scheduleId,
    })
    if (!schedule?.state?.paused)
      return { subject, level: 'ok', message: `scheduled every ${describeDuration(everyMs)}` }
    return {
      subject,
      level: 'warning',
      message: 'its Schedule is paused, so what webhooks never told is not looked for',
      fix: `temporal schedule toggle --unpause --schedule-id ${scheduleId}`,
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === GRPC_NOT_FOUND)) throw error
    return {
      subject,
      level: 'warning',
      message: `Temporal has no Schedule ${scheduleId}, so what webhooks never told is not looked for`,
      fix: 'start a worker, which creates it, with the right to write Schedules',
    }
  }
}
