import { Context } from '@temporalio/activity'
import type { ActionKey } from '../src/domain/action-key.ts'
import { updateActionStatus } from '../src/vercel/action-status.ts'
import { runStep } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'
import { isFinalRefusal } from './final-refusal.ts'
import {
  type Report,
  reportFirstOutcome,
  reportOutcome,
  type SucceededReport,
} from './report-outcome.ts'

export function createReportActivities(dependencies: Dependencies) {
  const { vercel, headStarts, log } = dependencies
  return {
    /**
     * Proves the outcome and hands it to Vercel. Throws only what no other try can mend and Vercel never saw.
     *
     * As a local activity it may be run twice, before and after a crash, without the workflow knowing: unless this
     * process knows that it is the first one, Vercel may have the outcome already.
     */
    async reportSucceeded({
      headStart = '',
      ...step
    }: SucceededReport & { readonly headStart?: string }): Promise<Report> {
      const { isLocal } = Context.current().info
      const isFirst = isLocal && headStarts?.takeFirstReport(headStart) === true
      const mayHaveBeenTaken = step.mayHaveBeenTaken || (isLocal && !isFirst)
      return await runStep(dependencies, step.key, (call) =>
        isFirst
          ? reportFirstOutcome(dependencies, headStart, step, call)
          : reportOutcome(dependencies, { ...step, mayHaveBeenTaken }, call),
      )
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
          if (!isFinalRefusal(error, attempt)) throw error
          log.warn('report.failed_not_taken', { ...key, error })
        }
      })
    },
  }
}
