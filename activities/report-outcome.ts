import { ActionFailure } from '../src/domain/failure.ts'
import { type Outcome, outcomeProblems } from '../src/domain/outcome.ts'
import { judgeRefusal } from '../src/domain/report-refusal.ts'
import { Secret } from '../src/domain/secret.ts'
import { updateActionStatus } from '../src/vercel/action-status.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { VercelApiError } from '../src/vercel/errors.ts'
import type { StepCall } from './activity-call.ts'
import { checkOptions, declaredAction } from './declared-action.ts'
import type { Dependencies } from './dependencies.ts'
import type { ActionStep } from './resource.ts'

/** What became of a `succeeded` that was to be reported. */
export type Report =
  /** Vercel has it. */
  | { readonly kind: 'taken'; readonly because: string }
  /** The deployment no longer wants it: undo, report nothing. */
  | { readonly kind: 'over'; readonly because: string }
  /** Vercel does not show the deployment, which may have it: ask again, and undo when that lasts. */
  | { readonly kind: 'vanished'; readonly because: string }
  /** Vercel refuses it for good: undo, report `failed`. */
  | { readonly kind: 'refused'; readonly because: string }
  /** Vercel refuses it, and the deployment does not tell yet whether because it has it: ask again. */
  | { readonly kind: 'undecided' }
  /** Vercel did not answer, or the credentials could not be proved yet: report the same again. */
  | { readonly kind: 'again'; readonly mayHaveBeenTaken: boolean; readonly afterMs: number }
  /** Vercel takes no more updates of the installation for now: its turn comes after so many milliseconds. */
  | {
      readonly kind: 'in-line'
      readonly mayHaveBeenTaken: boolean
      readonly afterMs: number
      /** This process knows that the next report is the first that Vercel sees: it may be made at once as well. */
      readonly isFirstToCome?: true
    }

export interface SucceededReport extends ActionStep {
  /** Whether an earlier try may have reached Vercel. */
  readonly mayHaveBeenTaken: boolean
}

type Reporting = Pick<Dependencies, 'actions' | 'vercel' | 'log'>

const REFUSALS = new Set([400, 404, 409, 410])

/** Proves the outcome and hands it to Vercel. Throws only what no other try can mend and Vercel never saw. */
export async function reportOutcome(
  reporting: Reporting,
  step: SucceededReport,
  call: StepCall,
): Promise<Report> {
  try {
    return await sendOutcome(reporting, step, call)
  } catch (error) {
    call.signal.throwIfAborted()
    return again(reporting, step, step.mayHaveBeenTaken, error)
  }
}

/** The same for the run's first report in any process, which is given back to the head start when it was not sent. */
export async function reportFirstOutcome(
  reporting: Reporting & Pick<Dependencies, 'headStarts'>,
  headStart: string,
  step: SucceededReport,
  call: StepCall,
): Promise<Report> {
  const { headStarts } = reporting
  const report = await reportOutcome(reporting, step, call)
  if (report.kind === 'in-line' && !report.mayHaveBeenTaken) {
    if (headStarts?.returnFirstReport(headStart)) return { ...report, isFirstToCome: true }
  }
  headStarts?.drop(headStart)
  return report
}

async function sendOutcome(
  reporting: Reporting,
  step: SucceededReport,
  call: StepCall,
): Promise<Report> {
  const { vercel, log } = reporting
  const { skipped } = step
  const outcome =
    skipped === undefined ? await provedOutcome(reporting, step, call) : { secrets: [] }
  const note = skipped !== undefined && { note: skipped }
  try {
    await updateActionStatus(vercel, step.key, { kind: 'succeeded', outcome, ...note }, call.signal)
  } catch (error) {
    if (!(error instanceof VercelApiError)) throw error
    if (REFUSALS.has(error.status)) return await judge(reporting, step, error.status, call)
    call.signal.throwIfAborted()
    return again(reporting, step, step.mayHaveBeenTaken || error.mayHaveActed, error)
  }
  log.info('action.succeeded', {
    ...step.key,
    secrets: outcome.secrets.map((secret) => secret.name),
  })
  return {
    kind: 'taken',
    because: `Vercel has the outcome (${outcome.secrets.length} variables).`,
  }
}

/** Reads the credentials, proves them, checks the names: all of it here, so that no secret leaves the activity. */
async function provedOutcome(
  { actions }: Reporting,
  step: SucceededReport,
  call: StepCall,
): Promise<Outcome> {
  const { definition } = declaredAction(actions, step.key.action)
  const options = checkOptions(definition, step.options)
  const { key, deployment, reference } = step
  const variables =
    (await definition.outcome?.({ ...call, key, deployment, options, reference })) ?? {}
  const outcome = {
    secrets: Object.entries(variables).map(([name, value]) => ({
      name,
      value: typeof value === 'string' ? new Secret(value) : value,
    })),
  }
  const problems = outcomeProblems(outcome)
  if (problems.length > 0)
    throw new ActionFailure('outcome_invalid', problems.join(' '), { retryable: false })
  return outcome
}

/** Asks the deployment what Vercel's refusal means. */
async function judge(
  { vercel, log }: Reporting,
  step: SucceededReport,
  status: number,
  call: StepCall,
): Promise<Report> {
  const { key, teamId, mayHaveBeenTaken } = step
  const { standing } = await getDeployment(vercel, { ...key, teamId, signal: call.signal })
  const verdict = judgeRefusal({ status, standing, mayHaveBeenTaken })
  const because = `Vercel answered ${status} to succeeded, and the deployment is ${standing}`
  log.warn('report.refused', { ...key, status, standing, mayHaveBeenTaken, verdict })
  switch (verdict) {
    case 'taken':
      return { kind: 'taken', because: `${because}: an earlier report was taken.` }
    case 'over':
      return { kind: 'over', because: `${because}: it no longer wants the action.` }
    case 'vanished':
      return { kind: 'vanished', because: `${because}, and stays so: it was removed.` }
    case 'refused':
      return {
        kind: 'refused',
        because: `Vercel did not accept the outcome (${status}), so everything was undone: deploy again, and ask the provider if it happens again.`,
      }
    case 'undecided':
      return { kind: 'undecided' }
  }
}

/** Asks for another try, unless none can help and Vercel cannot have seen an earlier one. */
function again(
  { log }: Reporting,
  step: SucceededReport,
  mayHaveBeenTaken: boolean,
  error: unknown,
): Report {
  const known =
    error instanceof VercelApiError || error instanceof ActionFailure ? error : undefined
  if (known && !known.retryable && !mayHaveBeenTaken) throw known
  if (known instanceof VercelApiError && known.status === 429 && known.retryAfterMs !== undefined)
    return { kind: 'in-line', mayHaveBeenTaken, afterMs: known.retryAfterMs }
  log.warn('report.again', { ...step.key, mayHaveBeenTaken, error })
  return { kind: 'again', mayHaveBeenTaken, afterMs: known?.retryAfterMs ?? 0 }
}
