import { randomUUID } from 'node:crypto'
import { WorkflowFailedError } from '@temporalio/client'
import { RECONCILIATION, type Reconciliation } from '../../workflows/messages.ts'
import type { Config } from '../config/define-config.ts'
import { readEnvironment } from '../config/environment.ts'
import { loadConfig } from '../config/load-config.ts'
import { capSchema, durationSchema } from '../config/reconciliation.ts'
import { describeDuration, parseDuration } from '../domain/duration.ts'
import type { ReconciliationPolicy } from '../domain/reconciliation.ts'
import { leftToDo, type ReconciliationReport } from '../domain/reconciliation-run.ts'
import { silentLog } from '../log.ts'
import { connectTemporal, type TemporalLink } from '../temporal/connection.ts'
import { dataConverter } from '../temporal/data-converter.ts'
import { checkPollers } from '../temporal/prepare-namespace.ts'
import { rememberedSuspects } from '../temporal/reconciliation-schedule.ts'
import { installRuntime } from '../temporal/runtime.ts'
import { embeddedServers } from './embedded.ts'
import type { CommonOptions } from './main.ts'
import { table } from './print-table.ts'
import { untilStopSignal } from './run-roles.ts'

export interface GcOptions extends CommonOptions {
  readonly apply: boolean
  readonly json: boolean
  readonly minAge?: string
  readonly grace?: string
  readonly cap?: string
}

/**
 * Runs a reconciliation now, on the workers that are there, and prints what it found; only with `--apply` it also does
 * what is to be done. The exit code is 1 when something could not be looked at or done.
 */
export async function gc(options: GcOptions): Promise<void> {
  const environment = readEnvironment()
  const config = await loadConfig(options.config)
  const policy = policyOf(options, config)
  installRuntime(silentLog)
  const embedded = await embeddedServers({
    environment,
    directory: options.dataDir,
    ephemeral: options.ephemeral,
    onProgress: (line) => process.stderr.write(`${line}\n`),
    onExit: (what) => process.stderr.write(`${what}\n`),
  })
  try {
    const converter = dataConverter(environment.encryptionKeys)
    const link = await connectTemporal(await embedded.temporal(), converter)
    try {
      const report = await runNow(link, config.taskQueue, { policy, apply: options.apply })
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ policy, applied: options.apply, left: leftToDo(report), ...report }, null, 2)}\n`
          : render(report, { policy, apply: options.apply, nowMs: Date.now() }),
      )
      const failed = report.acts.some(({ result }) => result.kind === 'failed')
      if (failed || report.unsurveyed.length > 0) process.exitCode = 1
    } finally {
      await link.connection.close()
    }
  } finally {
    await embedded.stop()
  }
}

function policyOf(options: GcOptions, { reconciliation }: Config): ReconciliationPolicy {
  const duration = (name: string, text: string | undefined, otherwise: number) => {
    if (text === undefined) return otherwise
    if (durationSchema.safeParse(text).success) return parseDuration(text) ?? otherwise
    throw new Error(
      `${name} ${JSON.stringify(text)} is no duration, so nothing was looked at. Write one such as '2 hours', or 0.`,
    )
  }
  const cap = capSchema.safeParse(options.cap === undefined ? reconciliation.cap : +options.cap)
  if (!cap.success) {
    throw new Error(
      `--cap ${JSON.stringify(options.cap)} cannot be used, so nothing was looked at. It ${cap.error.issues[0]?.message}.`,
    )
  }
  return {
    minAgeMs: duration('--min-age', options.minAge, reconciliation.minAgeMs),
    graceMs: duration('--grace', options.grace, reconciliation.graceMs),
    cap: cap.data,
  }
}

async function runNow(
  link: TemporalLink,
  taskQueue: string,
  request: { policy: ReconciliationPolicy; apply: boolean },
): Promise<ReconciliationReport> {
  const { level, message, fix } = await checkPollers(link, taskQueue)
  if (level !== 'ok') {
    throw new Error(
      `No worker can look at what exists (${message}), so nothing was looked at. To mend it, ${fix}.`,
    )
  }
  const workflowId = `gc~${taskQueue}~${randomUUID()}`
  const run = await link.client.workflow.start<Reconciliation>(RECONCILIATION, {
    workflowId,
    taskQueue,
    args: [{ ...request, suspects: await rememberedSuspects(link, taskQueue) }],
    workflowExecutionTimeout: '12 hours',
    staticSummary: request.apply ? 'holdpoint gc --apply' : 'holdpoint gc, a dry run',
  })
  const stopped = untilStopSignal().then(async () => {
    await run.cancel()
    throw new Error(`Stopped, so not everything was looked at. Run holdpoint gc again.`)
  })
  try {
    return await Promise.race([run.result(), stopped])
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    throw new Error(
      `The reconciliation broke off (${error.cause?.message ?? error.message}), so not everything was looked at. Look at the workflow ${workflowId} in the Web UI, and run holdpoint gc again.`,
      { cause: error },
    )
  }
}

function render(
  report: ReconciliationReport,
  { policy, apply, nowMs }: { policy: ReconciliationPolicy; apply: boolean; nowMs: number },
): string {
  const { acts, cases, counts, unsurveyed } = report
  const results = new Map(acts.map(({ action, object, result }) => [idOf(action, object), result]))
  const rows = cases.map(({ action, object, verdict, because }) => {
    const { name, owner, sinceMs } = object
    const result = results.get(idOf(action, object))
    return [
      action,
      name,
      owner ? `${owner.deploymentId} of ${owner.resourceId}` : '-',
      sinceMs === undefined ? '?' : describeDuration(nowMs - sinceMs),
      result ? `${verdict}: ${result.kind}` : verdict,
      result && 'because' in result ? result.because : because,
    ]
  })
  const count = (verdict: keyof typeof counts) => counts[verdict] ?? 0
  const told = Object.values(counts).reduce((sum, number) => sum + number, 0)
  const unlisted = told - count('keep') - count('foreign') - cases.length
  const left = leftToDo(report)
  return [
    ...(rows.length > 0
      ? [table([['ACTION', 'NAME', 'OWNER', 'AGE', 'VERDICT', 'BECAUSE'], ...rows]), '']
      : []),
    ...(unlisted > 0 ? [`${unlisted} more are not shown.`] : []),
    ...unsurveyed.map(({ action, because }) => `${action} was not looked at: ${because}`),
    `${told} looked at: ${count('keep')} are needed, ${count('foreign')} are of other Holdpoints and left to them, ${count('wait')} wait for the end of their grace, ${count('undecided')} are undecided.`,
    apply
      ? `${acts.filter(({ result }) => result.kind === 'done').length} acts were done, and ${left} are left for the next time (at most ${policy.cap} at once: --cap).`
      : `A dry run: nothing was changed. To do: destroy ${count('destroy')}, expire ${count('expire')}, resume ${count('resume')}. With --apply it is done${left > policy.cap ? `, ${policy.cap} now and ${left - policy.cap} left for the next time (--cap)` : ''}.`,
    '',
  ].join('\n')
}

/** Of several claims on one object each has a line of its own. */
function idOf(action: string, { name, owner }: ReconciliationReport['cases'][number]['object']) {
  return JSON.stringify([action, name, owner?.deploymentId])
}
