import { Context } from '@temporalio/activity'
import type { CheckVerdict } from '../src/domain/check-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import {
  deploymentCheckConclusion,
  deploymentCheckExternalId,
  deploymentCheckName,
  type DeploymentCheckRequest,
} from '../src/domain/deployment-check.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import {
  createDeploymentCheck,
  type DeploymentCheck,
  listDeploymentChecks,
  updateDeploymentCheck,
} from '../src/vercel/deployment-checks.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { VercelApiError } from '../src/vercel/errors.ts'
import { runStep } from './activity-call.ts'
import { concludeCheck } from './conclude-check.ts'
import type { Dependencies } from './dependencies.ts'
import { openCheck, type OpenedCheck } from './open-check.ts'

/** A new deployment may be unknown to the server that is asked first. */
const UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS = 4

interface Over {
  readonly kind: 'over'
  /** A sentence that says why nothing is to be checked, or concluded. */
  readonly because: string
}

export type OpenedDeploymentCheck =
  | Over
  /** What it comes to is known before anything is run. */
  | { readonly kind: 'decided'; readonly checkId: string; readonly verdict: CheckVerdict }
  /** It is there, and waits until the deployment is built. */
  | { readonly kind: 'created'; readonly checkId: string }
  | (OpenedCheck & { readonly checkId: string })

export interface DeploymentCheckOpening extends DeploymentCheckRequest {
  /** Whether Vercel has told that the deployment is built. Its own answer may lag behind, or come first. */
  readonly isBuilt: boolean
  /** The check, where it is known. */
  readonly checkId?: string
  /** Which check is to be run once more; set, none is created. */
  readonly rerequested?: string
}

export function createDeploymentCheckActivities(dependencies: Dependencies) {
  const { checks, vercel, log } = dependencies

  return {
    /**
     * Creates the check of a deployment, or finds it by our id and keeps it from getting stale; once the deployment is
     * built, tells Vercel that it runs, as `openCheck` does. The second time, and after a lost answer, it finds it. What
     * Vercel refuses for good, and a deployment that it does not know, is over.
     */
    async openDeploymentCheck(opening: DeploymentCheckOpening): Promise<OpenedDeploymentCheck> {
      const { key, teamId } = opening
      const { installationId, deploymentId, resourceId } = key
      const begunAt = performance.now()
      const { attempt } = Context.current().info
      return await runStep(dependencies, key, async ({ signal, confirm }) => {
        const declared = checks.get(key.check)
        if (declared?.api !== 'v1')
          return over('The configuration has no such check of v1 any more.')
        const { name, targets, ...declaration } = declared.declaration
        const call = { installationId, deploymentId, teamId, signal }
        try {
          const deployment = await getDeployment(vercel, call)
          if (deployment.standing === 'gone') {
            if (attempt < UNKNOWN_FOR_GOOD_AFTER_ATTEMPTS) throw unknown(deploymentId)
            return over('Vercel does not show the deployment to this integration.')
          }
          if (!targets.includes(deployment.environment))
            return over(`It checks ${targets.join(', ')}, not ${deployment.environment}.`)
          const found = findCheck(await listDeploymentChecks(vercel, call), opening, name)
          if (opening.rerequested !== undefined && found?.id !== opening.rerequested)
            return over('Another check was asked for.')
          if (found?.isCompleted) return over('It has its conclusion.')
          const ended = endOf(deployment, opening)
          if (ended && !found) return over(ended)
          if (ended && found)
            return {
              kind: 'decided',
              checkId: found.id,
              verdict: { conclusion: 'canceled', text: ended },
            }
          const externalId = deploymentCheckExternalId(key)
          let checkId = found?.id
          if (checkId === undefined) {
            await confirm()
            const shown = deploymentCheckName(name, opening)
            const check = { ...declaration, name: shown, externalId }
            checkId = await createDeploymentCheck(vercel, call, check)
            log.info('check.created', { ...key, checkId })
          }
          const known = { checkId, externalId }
          const isDue = opening.isBuilt || opening.rerequested !== undefined
          if (!isDue && deployment.readyState !== 'READY') {
            if (found)
              await updateDeploymentCheck(vercel, { ...call, ...known }, { kind: 'touched' })
            return { kind: 'created', checkId }
          }
          const opened = await openCheck(dependencies, declared, {
            key: { installationId, deploymentId, checkRunId: checkId },
            deployment,
            resourceId,
            begunAt,
            signal,
            tellRunning: (detailsUrl, signal) =>
              updateDeploymentCheck(
                vercel,
                { ...call, ...known, signal },
                { kind: 'running', detailsUrl },
              ),
          })
          return { ...opened, checkId }
        } catch (error) {
          if (!(error instanceof VercelApiError) || error.retryable) throw error
          log.warn('check.not_opened', { ...key, error })
          return over(`${error.message}, so nothing was checked.`)
        }
      })
    },

    /** Whether a rerequest has taken the check back to where it was at first, our id with it. */
    async isDeploymentCheckReset({
      key,
      teamId,
      checkId,
    }: DeploymentCheckRequest & { checkId: string }): Promise<boolean> {
      const { installationId, deploymentId } = key
      return await runStep(dependencies, key, async ({ signal }) => {
        const call = { installationId, deploymentId, teamId, signal }
        const there = await listDeploymentChecks(vercel, call)
        return there.some(
          ({ id, externalId, isCompleted }) =>
            id === checkId && externalId === undefined && !isCompleted,
        )
      })
    },

    /**
     * Tells Vercel the conclusion, and answers whether Vercel took it now; see `concludeCheck`. Without `checkId` it is
     * that of the check found by our id, if there is one that has none.
     */
    async concludeDeploymentCheck({
      key,
      teamId,
      checkId: known,
      verdict,
    }: DeploymentCheckRequest & { checkId?: string; verdict: CheckVerdict }): Promise<boolean> {
      const { installationId, deploymentId } = key
      return await runStep(dependencies, key, async ({ signal }) => {
        const call = { installationId, deploymentId, teamId, signal }
        const externalId = deploymentCheckExternalId(key)
        const conclusion = deploymentCheckConclusion(verdict.conclusion)
        const about = {
          key: { installationId, deploymentId, checkRunId: known ?? '' },
          verdict,
          // v1 shows people no text.
          told: { check: key.check, conclusion, text: verdict.text },
        }
        return await concludeCheck(dependencies, about, async ({ externalUrl: detailsUrl }) => {
          const checkId = known ?? (await openCheckId(call, externalId))
          if (checkId === undefined) return false
          const update = { kind: 'completed', conclusion, detailsUrl } as const
          await updateDeploymentCheck(vercel, { ...call, checkId, externalId }, update)
          return true
        })
      })
    },
  }

  async function openCheckId(
    call: Parameters<typeof listDeploymentChecks>[1],
    externalId: string,
  ): Promise<string | undefined> {
    const there = await listDeploymentChecks(vercel, call)
    return there.find((check) => check.externalId === externalId && !check.isCompleted)?.id
  }
}

/**
 * The check among those of the deployment. After a rerequest it has our id no more: then it is the one that was asked
 * for, if it has our name and nobody's id, and no other one has ours.
 */
function findCheck(
  there: readonly DeploymentCheck[],
  opening: DeploymentCheckOpening,
  name: string,
): DeploymentCheck | undefined {
  const { key, checkId, rerequested } = opening
  const ours = there.find(
    ({ id, externalId }) => id === checkId || externalId === deploymentCheckExternalId(key),
  )
  if (ours || rerequested === undefined) return ours
  const shown = deploymentCheckName(name, opening)
  return there.find(
    (check) => check.id === rerequested && check.externalId === undefined && check.name === shown,
  )
}

/** Why the deployment is to be checked no more. One that failed with its checks is, when that is asked for. */
function endOf(
  { standing, readyState }: Deployment,
  { rerequested }: DeploymentCheckOpening,
): string | undefined {
  if (standing === 'canceled') return 'The deployment was canceled, so nothing was checked.'
  if (readyState !== 'ERROR' || rerequested !== undefined) return undefined
  return 'The deployment failed, so nothing was checked.'
}

function over(because: string): Over {
  return { kind: 'over', because }
}

function unknown(deploymentId: string): ActionFailure {
  return new ActionFailure(
    'deployment_unknown',
    `Vercel does not show the deployment ${deploymentId} to this integration, so nothing was checked.`,
    { retryable: true },
  )
}
