import { Context } from '@temporalio/activity'
import type { CheckResult } from '../src/checks/define-check.ts'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { CheckRunKey, CheckRunRequest, CheckVerdict } from '../src/domain/check-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { getCheckRun, updateCheckRun } from '../src/vercel/check-runs.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { runStep } from './activity-call.ts'
import { concludeCheck } from './conclude-check.ts'
import { checkNamed, notDeclared } from './declared-check.ts'
import type { Dependencies } from './dependencies.ts'
import { openCheck, type OpenedCheck } from './open-check.ts'

/** A new check run may be unknown to the server that is asked first. */
const UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS = 4

export type OpenedCheckRun =
  /** It has a conclusion already, or Vercel does not know it. */
  | { readonly kind: 'over' }
  /** What it comes to is known before anything is run. */
  | { readonly kind: 'decided'; readonly verdict: CheckVerdict }
  | (OpenedCheck & { readonly timeoutSeconds?: number })

/** What a check is about. */
export interface CheckStep {
  readonly key: CheckRunKey
  /** The slug of the check. */
  readonly check: string
  readonly deployment: Deployment
  readonly resourceId?: string
  readonly action?: ActionKey
}

export function createCheckRunActivities(dependencies: Dependencies) {
  const { checks, vercel } = dependencies

  return {
    /**
     * Reads the run and its deployment, finds the check, and tells Vercel that it runs. That is best effort: it tries
     * once, and never after the conclusion.
     */
    async openCheckRun(request: CheckRunRequest): Promise<OpenedCheckRun> {
      const { key, teamId } = request
      const begunAt = performance.now()
      const { attempt } = Context.current().info
      return await runStep(dependencies, key, async ({ signal }) => {
        const [run, deployment] = await Promise.all([
          getCheckRun(vercel, { ...key, teamId, signal }),
          getDeployment(vercel, { ...key, teamId, signal }),
        ])
        const unknown = !run || deployment.standing === 'gone'
        if (unknown && attempt < UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS)
          throw new ActionFailure(
            'check_run_unknown',
            `Vercel does not show the check run ${key.checkRunId} of ${key.deploymentId} to this integration, so nothing was checked.`,
            { retryable: true },
          )
        if (!run || run.isCompleted) return { kind: 'over' }
        const { standing } = deployment
        if (standing === 'gone' || standing === 'canceled')
          return { kind: 'decided', verdict: deploymentIsOver(standing) }
        const name = run.name ?? request.name
        const declared = checkNamed(checks, name)
        if (!declared) return { kind: 'decided', verdict: notDeclared(checks, name) }
        const timeoutSeconds = request.timeoutSeconds ?? run.timeoutSeconds
        const opened = await openCheck(dependencies, declared, {
          key,
          deployment,
          resourceId: request.resourceId ?? run.resourceId,
          begunAt,
          signal,
          tellRunning: (externalUrl, signal) =>
            updateCheckRun(vercel, { ...key, teamId, signal }, { kind: 'running', externalUrl }),
        })
        return { ...opened, ...(timeoutSeconds !== undefined && { timeoutSeconds }) }
      })
    },

    /** Checks. Throws what the check throws, as a failure that is tried again or not. */
    async runCheck({ check, ...about }: CheckStep): Promise<CheckResult> {
      return await runStep(dependencies, { ...about.key, check }, async (call) => {
        const definition = checks.get(check)?.definition
        return definition ? await definition.run({ ...call, ...about }) : notDeclared(checks, check)
      })
    },

    /** Tells Vercel the conclusion, and answers whether Vercel took it now; see `concludeCheck`. */
    async concludeCheckRun({
      key,
      teamId,
      verdict,
      completedAt,
    }: {
      key: CheckRunKey
      teamId?: string
      verdict: CheckVerdict
      completedAt: number
    }): Promise<boolean> {
      return await runStep(dependencies, key, async ({ signal }) => {
        const { conclusion } = verdict
        const about = { key, verdict, told: { conclusion } }
        return await concludeCheck(dependencies, about, async (verdict) => {
          const update = { kind: 'completed', verdict, completedAt } as const
          await updateCheckRun(vercel, { ...key, teamId, signal }, update)
          return true
        })
      })
    },
  }
}

function deploymentIsOver(standing: 'gone' | 'canceled'): CheckVerdict {
  return {
    conclusion: 'canceled',
    text: `The deployment ${standing === 'gone' ? 'was removed' : 'was canceled'}, so nothing was checked.`,
  }
}
