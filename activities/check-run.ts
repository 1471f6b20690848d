import { Context } from '@temporalio/activity'
import type { CheckResult } from '../src/checks/define-check.ts'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { CheckRunKey, CheckRunRequest, CheckVerdict } from '../src/domain/check-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { getCheckRun, updateCheckRun } from '../src/vercel/check-runs.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { runStep } from './activity-call.ts'
import { checkNamed, notDeclared } from './declared-check.ts'
import type { Dependencies } from './dependencies.ts'
import { isFinalRefusal } from './final-refusal.ts'

/** A new check run may be unknown to the server that is asked first. */
const UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS = 4
/** A worker that stood still for longer may have lost the run to another one, which has concluded it. */
const RUNNING_WITHIN_MS = 1500

export type OpenedCheckRun =
  /** It has a conclusion already, or Vercel does not know it. */
  | { readonly kind: 'over' }
  /** What it comes to is known before anything is run. */
  | { readonly kind: 'decided'; readonly verdict: CheckVerdict }
  | {
      readonly kind: 'open'
      /** The slug of the check. */
      readonly check: string
      readonly deployment: Deployment
      readonly resourceId?: string
      /** The action to wait for. */
      readonly action?: ActionKey
      readonly externalUrl?: string
      readonly deadlineMs: number
      readonly timeoutSeconds?: number
    }

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
  const { checks, vercel, log } = dependencies

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
        const { slug, definition, deadlineMs } = declared
        const resourceId = request.resourceId ?? run.resourceId
        const timeoutSeconds = request.timeoutSeconds ?? run.timeoutSeconds
        const externalUrl = usableUrl(definition.externalUrl?.(key), key)
        const leftMs = Math.round(begunAt + RUNNING_WITHIN_MS - performance.now())
        if (leftMs > 0) {
          const within = AbortSignal.any([signal, AbortSignal.timeout(leftMs)])
          const running = { kind: 'running', externalUrl } as const
          await updateCheckRun(vercel, { ...key, teamId, signal: within }, running).catch(
            (error: unknown) => log.warn('check.running_dropped', { ...key, error }),
          )
        }
        return {
          kind: 'open',
          check: slug,
          deployment,
          deadlineMs,
          ...(resourceId !== undefined && { resourceId }),
          ...(resourceId !== undefined &&
            definition.after !== undefined && {
              action: {
                installationId: key.installationId,
                resourceId,
                deploymentId: key.deploymentId,
                action: definition.after,
              },
            }),
          ...(externalUrl !== undefined && { externalUrl }),
          ...(timeoutSeconds !== undefined && { timeoutSeconds }),
        }
      })
    },

    /** Checks. Throws what the check throws, as a failure that is tried again or not. */
    async runCheck({ check, ...about }: CheckStep): Promise<CheckResult> {
      return await runStep(dependencies, { ...about.key, check }, async (call) => {
        const definition = checks.get(check)?.definition
        return definition ? await definition.run({ ...call, ...about }) : notDeclared(checks, check)
      })
    },

    /**
     * Tells Vercel the conclusion, and answers whether Vercel took it now. A refusal is an answer too: nobody waits for
     * it any more, or an earlier try had it taken.
     */
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
      const { attempt } = Context.current().info
      return await runStep(dependencies, key, async ({ signal }) => {
        try {
          const { externalUrl: given, ...rest } = verdict
          const externalUrl = usableUrl(given, key)
          await updateCheckRun(
            vercel,
            { ...key, teamId, signal },
            {
              kind: 'completed',
              verdict: { ...rest, ...(externalUrl !== undefined && { externalUrl }) },
              completedAt,
            },
          )
          log.info('check.concluded', { ...key, conclusion: verdict.conclusion })
          return true
        } catch (error) {
          if (!isFinalRefusal(error, attempt)) throw error
          log.warn('check.conclusion_not_taken', { ...key, error })
          return false
        }
      })
    },
  }

  /** An address that Vercel would refuse must not cost the conclusion. */
  function usableUrl(url: string | undefined, key: CheckRunKey): string | undefined {
    if (url === undefined || (/^(https?:\/\/|sso:)/.test(url) && URL.canParse(url))) return url
    log.warn('check.external_url_unusable', { ...key, url })
    return undefined
  }
}

function deploymentIsOver(standing: 'gone' | 'canceled'): CheckVerdict {
  return {
    conclusion: 'canceled',
    text: `The deployment ${standing === 'gone' ? 'was removed' : 'was canceled'}, so nothing was checked.`,
  }
}
