import { CancellationScope, condition, setHandler } from '@temporalio/workflow'
import type { CheckRunEnd, CheckVerdict } from '../src/domain/check-run.ts'
import type { DeploymentCheckRequest } from '../src/domain/deployment-check.ts'
import {
  concludeDeploymentCheck,
  isDeploymentCheckReset,
  openDeploymentCheck,
} from './activities.ts'
import { conclude, outOfTime, verdictOfCheck, verdictOnFailure } from './check-verdict.ts'
import {
  cancelSignal,
  deploymentFailedSignal,
  deploymentReadySignal,
  rerequestSignal,
} from './messages.ts'
import { pinToVersion } from './pin-to-version.ts'
import { showPhase } from './show-phase.ts'

/** Vercel gives up what was created and not touched for an hour. */
const LOOK_AGAIN_MS = 30 * 60_000
/** 45 minutes is what an action may hold a build for, and as long a build may take. */
const LOOKS = 3

const CANCELED: CheckVerdict = {
  conclusion: 'canceled',
  text: 'It was canceled, with its deployment or by an operator.',
}

/** What Vercel has told so far. */
interface News {
  isBuilt: boolean
  /** Vercel's ids of checks that are to be run once more, as they were asked for. */
  readonly rerequests: string[]
}

/** One time that the check is to be run: the first one, or one that was asked for. */
interface Round {
  readonly work: CancellationScope
  readonly rerequested?: string
  /** Vercel's id of the check, once it is known to be ours. */
  checkId?: string
}

/**
 * A check of one deployment (Checks API v1): is created with it, waits until it is built, then runs as a check run does.
 * Each time that is asked for it runs once more, before the end of this run or in a run after it.
 *
 * What becomes of the deployment may be told in any order and twice. One that ends concludes its check as canceled; told
 * first, nothing is created.
 */
export async function deploymentCheck(request: DeploymentCheckRequest): Promise<CheckRunEnd> {
  const news: News = { isBuilt: false, rerequests: [] }
  let round: Round = { work: new CancellationScope() }
  // What this run was started by comes in as its handler is set.
  setHandler(deploymentReadySignal, () => void (news.isBuilt = true))
  setHandler(rerequestSignal, ({ checkId }) => void news.rerequests.push(checkId))
  const cancel = () => round.work.cancel()
  setHandler(cancelSignal, cancel)
  // What is asked for again is checked although the deployment failed, and that may be told late.
  setHandler(deploymentFailedSignal, () => {
    if (round.rerequested === undefined) cancel()
  })
  // An operator may cancel the run in the Web UI: that is a cancel like Vercel's.
  CancellationScope.current().cancelRequested.catch(cancel)

  let end: CheckRunEnd | undefined
  do {
    const rerequested = news.rerequests.shift()
    if (rerequested !== undefined) round = { work: new CancellationScope(), rerequested }
    const next = await play(request, round, news)
    // Another check was meant, or the same one by an event that came twice.
    if (!end || next.phase !== 'over') end = next
  } while (news.rerequests.length > 0)
  showPhase(end)
  return end
}

pinToVersion(deploymentCheck)

async function play(
  request: DeploymentCheckRequest,
  round: Round,
  news: News,
): Promise<CheckRunEnd> {
  const { work, rerequested } = round
  const reached = await work.run(() => reachVerdict(request, round, news)).catch(verdictOnFailure)
  return await CancellationScope.nonCancellable(async () => {
    const { checkId } = round
    const about = { ...request, ...(checkId !== undefined && { checkId }) }
    if (checkId !== undefined && news.rerequests.includes(checkId)) {
      // What was found out before it was asked for again is not told.
      const isReset = await isDeploymentCheckReset({ ...about, checkId }).catch(() => false)
      if (isReset) return { phase: 'over', because: 'It is run once more.' }
    }
    // The cancel may have come with the very task that reached another verdict.
    const verdict = work.consideredCancelled ? CANCELED : reached
    if (!('conclusion' in verdict)) return verdict
    if (checkId === undefined && rerequested !== undefined)
      return { phase: 'over', because: 'Whether this check was meant is not known.' }
    return await conclude(verdict, () => concludeDeploymentCheck({ ...about, verdict }))
  })
}

async function reachVerdict(
  request: DeploymentCheckRequest,
  round: Round,
  news: News,
): Promise<CheckVerdict | CheckRunEnd> {
  const { key, teamId } = request
  for (let look = 1; look <= LOOKS; look++) {
    const opened = await openDeploymentCheck({
      ...request,
      isBuilt: news.isBuilt,
      ...(round.checkId !== undefined && { checkId: round.checkId }),
      ...(round.rerequested !== undefined && { rerequested: round.rerequested }),
    })
    if (opened.kind === 'over') return { phase: 'over', because: opened.because }
    const { checkId } = opened
    round.checkId = checkId
    if (opened.kind === 'decided') return opened.verdict
    if (opened.kind === 'open') {
      const { installationId, deploymentId } = key
      return await verdictOfCheck(opened, {
        key: { installationId, deploymentId, checkRunId: checkId },
        teamId,
        deadlineAt: Date.now() + opened.deadlineMs,
      })
    }
    await condition(() => news.isBuilt, LOOK_AGAIN_MS)
  }
  return outOfTime('The deployment was still not built')
}
