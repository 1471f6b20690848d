import { Context } from '@temporalio/activity'
import type { ActionKey } from '../src/domain/action-key.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { type Outcome, outcomeProblems } from '../src/domain/outcome.ts'
import { judgeRefusal } from '../src/domain/report-refusal.ts'
import { Secret } from '../src/domain/secret.ts'
import { updateActionStatus } from '../src/vercel/action-status.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { VercelApiError } from '../src/vercel/errors.ts'
import { runStep, type StepCall } from './activity-call.ts'
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
  | { readonly kind: 'in-line'; readonly mayHaveBeenTaken: boolean; readonly afterMs: number }

export interface SucceededReport extends ActionStep {
  /** Whether an earlier try may have reached Vercel. */
  readonly mayHaveBeenTaken: boolean
  /** The run's head start, if it had one. */
  readonly headStart?: string
}

const REFUSALS = new Set([400, 404, 409, 410])
/** A token that Vercel still refuses by then will not come back: nothing is held at the provider any more. */
const GIVE_UP_ON_TOKEN_AFTER_ATTEMPTS = 10

export function createReportActivities(dependencies: Dependencies) {
  const { actions, vercel, headStarts, log } = dependencies

  /** Reads the credentials, proves them, checks the names: all of it here, so that no secret leaves the activity. */
  async function provedOutcome(step: SucceededReport, call: StepCall): Promise<Outcome> {
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
  async function judge(step: SucceededReport, status: number, call: StepCall): Promise<Report> {
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

  async function sendOutcome(step: SucceededReport, call: StepCall): Promise<Report> {
    const outcome = await provedOutcome(step, call)
    try {
      await updateActionStatus(vercel, step.key, { kind: 'succeeded', outcome }, call.signal)
    } catch (error) {
      if (!(error instanceof VercelApiError)) throw error
      if (REFUSALS.has(error.status)) return await judge(step, error.status, call)
      call.signal.throwIfAborted()
      return again(step, step.mayHaveBeenTaken || error.mayHaveActed, error)
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

  /** Asks for another try, unless none can help and Vercel cannot have seen an earlier one. */
  function again(step: SucceededReport, mayHaveBeenTaken: boolean, error: unknown): Report {
    const known =
      error instanceof VercelApiError || error instanceof ActionFailure ? error : undefined
    if (known && !known.retryable && !mayHaveBeenTaken) throw known
    if (known instanceof VercelApiError && known.status === 429 && known.retryAfterMs !== undefined)
      return { kind: 'in-line', mayHaveBeenTaken, afterMs: known.retryAfterMs }
    log.warn('report.again', { ...step.key, mayHaveBeenTaken, error })
    return { kind: 'again', mayHaveBeenTaken, afterMs: known?.retryAfterMs ?? 0 }
  }

  return {
    /**
     * Proves the outcome and hands it to Vercel. Throws only what no other try can mend and Vercel never saw.
     *
     * As a local activity it may be run twice, before and after a crash, without the workflow knowing: unless this
     * process knows that it is the first one, Vercel may have the outcome already.
     */
    async reportSucceeded(given: SucceededReport): Promise<Report> {
      const { isLocal } = Context.current().info
      const mayBeSecond = isLocal && !headStarts?.takeFirstReport(given.headStart ?? '')
      const step = { ...given, mayHaveBeenTaken: given.mayHaveBeenTaken || mayBeSecond }
      return runStep(dependencies, step.key, async (call): Promise<Report> => {
        try {
          return await sendOutcome(step, call)
        } catch (error) {
          call.signal.throwIfAborted()
          return again(step, step.mayHaveBeenTaken, error)
        }
      })
    },

    /**
     * Tells Vercel that the action failed, in a sentence for the developer whose build was held. Vercel's refusal is
     * an answer too: the deployment does not wait any more.
     */
    async reportFailed({ key, reason }: { key: ActionKey; reason: string }): Promise<void> {
      const { attempt } = Context.current().info
      await runStep(dependencies, key, async (call) => {
        try {
          await updateActionStatus(vercel, key, { kind: 'failed', reason }, call.signal)
          log.info('action.failed', { ...key, reason })
        } catch (error) {
          if (!(error instanceof VercelApiError)) throw error
          const tokenRefused =
            [401, 403].includes(error.status) && attempt >= GIVE_UP_ON_TOKEN_AFTER_ATTEMPTS
          if (error.retryable && !tokenRefused) throw error
          log.warn('report.failed_not_taken', { ...key, error })
        }
      })
    },
  }
}
