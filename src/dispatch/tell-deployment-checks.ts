import {
  cancelSignal,
  DEPLOYMENT_CHECK,
  type DeploymentCheck,
  deploymentFailedSignal,
  deploymentReadySignal,
  rerequestSignal,
} from '../../workflows/messages.ts'
import {
  type Concerned,
  type DeploymentCheckRequest,
  deploymentCheckWorkflowId,
  type DeploymentEvent,
} from '../domain/deployment-check.ts'
import type { Acceptance } from '../domain/vercel-event.ts'
import { describeWork } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'
import { unlessKnown } from './unless-known.ts'

type Workflows = Pick<Dispatch, 'workflows' | 'taskQueue'>

/**
 * Tells each check of the deployment what has become of it, for every installation and resource that the event
 * concerns. `duplicate` when none of them had anything to learn. Throws when one was not told: the event will come
 * again, and those that were take it twice.
 */
export async function tellDeploymentChecks(
  { deploymentChecks = [], ...dispatch }: Workflows & Pick<Dispatch, 'deploymentChecks'>,
  event: DeploymentEvent,
): Promise<Acceptance> {
  if (deploymentChecks.length === 0) return 'ignored'
  const answers = await Promise.all(
    event.concerned.flatMap((concerned) =>
      deploymentChecks.map((check) =>
        unlessKnown(() => tell(dispatch, event, requestOf(event, concerned, check))),
      ),
    ),
  )
  return answers.includes('accepted') ? 'accepted' : 'duplicate'
}

function requestOf(
  event: DeploymentEvent,
  concerned: Concerned,
  check: string,
): DeploymentCheckRequest {
  const { deploymentId, teamId } = event
  const several = event.concerned.filter(
    ({ installationId }) => installationId === concerned.installationId,
  )
  return {
    key: { ...concerned, deploymentId, check },
    ...(teamId !== undefined && { teamId }),
    ...(several.length > 1 && { isOneOfSeveral: true }),
  }
}

const BECAUSE = {
  created: 'The deployment was created.',
  ready: 'The deployment was built before its creation was told.',
  failed: 'The deployment failed before its creation was told.',
  canceled: 'The deployment was canceled before its creation was told.',
  'check-rerequested': 'A check of the deployment is to be run once more.',
} as const

const SIGNALS = {
  ready: deploymentReadySignal,
  failed: deploymentFailedSignal,
  canceled: cancelSignal,
} as const

/** One call that starts the check or signals its open run, so no moment lies between looking and acting. */
async function tell(
  { workflows, taskQueue }: Workflows,
  event: DeploymentEvent,
  request: DeploymentCheckRequest,
): Promise<void> {
  const { check, ...ids } = request.key
  const args: [DeploymentCheckRequest] = [request]
  const options = {
    ...describeWork(ids, {
      summary: `${check} on ${request.key.deploymentId}`,
      because: BECAUSE[event.news],
    }),
    workflowId: deploymentCheckWorkflowId(request.key),
    // What has been concluded hears of nothing but a rerequest.
    workflowIdReusePolicy:
      event.news === 'check-rerequested' ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
    taskQueue,
    args,
  } as const
  switch (event.news) {
    case 'created':
      await workflows.start<DeploymentCheck>(DEPLOYMENT_CHECK, {
        ...options,
        workflowIdConflictPolicy: 'FAIL',
      })
      return
    case 'ready':
    case 'failed':
    case 'canceled':
      await workflows.signalWithStart<DeploymentCheck>(DEPLOYMENT_CHECK, {
        ...options,
        signal: SIGNALS[event.news],
        signalArgs: [],
      })
      return
    case 'check-rerequested': {
      const { checkId } = event
      await workflows.signalWithStart<DeploymentCheck, [{ readonly checkId: string }]>(
        DEPLOYMENT_CHECK,
        { ...options, signal: rerequestSignal, signalArgs: [{ checkId }] },
      )
    }
  }
}
