import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  setHandler,
  TemporalFailure,
} from '@temporalio/workflow'
import {
  checkDeadlineAt,
  type CheckRunEnd,
  type CheckRunRequest,
  type CheckVerdict,
  type CheckWish,
} from '../src/domain/check-run.ts'
import { verdictOnAction } from '../src/domain/check-verdict.ts'
import { concludeCheckRun, openCheckRun, runCheckWithin } from './activities.ts'
import { cancelSignal } from './messages.ts'
import { pinToVersion } from './pin-to-version.ts'
import { showPhase } from './show-phase.ts'
import { untilActionEnds } from './until-action-ends.ts'

const CANCELED: CheckVerdict = { conclusion: 'canceled', text: 'The check was canceled.' }

/**
 * One run of a check: tells Vercel that it runs, waits for the action whose work it looks at, checks, and tells what
 * came of it before the run gets stale. One conclusion is sent, whatever happens; the same one again as long as
 * Vercel's answer is not known.
 *
 * A cancel concludes it as canceled. One that comes before the start concludes it at once, and the start finds it.
 */
export async function deploymentCheckRun(request: CheckRunRequest): Promise<CheckRunEnd> {
  const work = new CancellationScope()
  let wish: CheckWish = 'run'
  const cancel = () => {
    wish = 'canceled'
    work.cancel()
  }
  setHandler(cancelSignal, cancel)
  // An operator may cancel the run in the Web UI: that is a cancel like Vercel's.
  CancellationScope.current().cancelRequested.catch(cancel)

  const reached = await work.run(() => reachVerdict(request)).catch(verdictOnFailure)
  const end = await CancellationScope.nonCancellable(() =>
    // The cancel may have come with the very task that reached another verdict.
    conclude(request, isCanceled() ? CANCELED : reached),
  )
  showPhase(end)
  return end

  function isCanceled(): boolean {
    return wish === 'canceled'
  }
}

pinToVersion(deploymentCheckRun)

/** Answers undefined when Vercel has ended the run by itself. */
async function reachVerdict(request: CheckRunRequest): Promise<CheckVerdict | undefined> {
  const { key, teamId, occurredAt } = request
  const opened = await openCheckRun(request)
  if (opened.kind === 'over') return undefined
  if (opened.kind === 'decided') return opened.verdict
  const { check, action, deployment, resourceId, externalUrl, deadlineMs, timeoutSeconds } = opened
  const deadlineAt = checkDeadlineAt({ occurredAt, now: Date.now(), deadlineMs, timeoutSeconds })
  if (action) {
    const end = await untilActionEnds(action, teamId, deadlineAt)
    if (!end) return outOfTime(`The action ${action.action} was still at work`)
    const verdict = verdictOnAction(action.action, end)
    if (verdict) return verdict
  }
  const { runCheck } = runCheckWithin(Math.max(deadlineAt - Date.now(), 1))
  const result = await runCheck({
    key,
    check,
    deployment,
    ...(resourceId !== undefined && { resourceId }),
    ...(action && { action }),
  })
  return { ...(externalUrl !== undefined && { externalUrl }), ...result }
}

/** What a check comes to that threw, or could not be run. That of a canceled one is overruled. */
function verdictOnFailure(error: unknown): CheckVerdict {
  // That of a local activity comes without a wrapping.
  const cause = error instanceof ActivityFailure ? error.cause : error
  // A mistake in this code: its task is retried.
  if (!(cause instanceof TemporalFailure)) throw error
  if (!(cause instanceof ApplicationFailure)) return outOfTime('The check was still at work')
  if (cause.nonRetryable) return { conclusion: 'failed', text: cause.message }
  return {
    conclusion: 'timeout',
    text: `${cause.message} It was tried until the time of the check was over.`,
  }
}

function outOfTime(what: string): CheckVerdict {
  return { conclusion: 'timeout', text: `${what} when the time of the check was over.` }
}

async function conclude(
  { key, teamId }: CheckRunRequest,
  verdict: CheckVerdict | undefined,
): Promise<CheckRunEnd> {
  if (!verdict) return { phase: 'over', because: 'Vercel had ended the run by itself.' }
  const taken = await concludeCheckRun({
    key,
    ...(teamId !== undefined && { teamId }),
    verdict,
    completedAt: Date.now(),
  }).catch((error: unknown) => {
    if (error instanceof ActivityFailure) return false
    throw error
  })
  const { conclusion, text = 'The check was run.' } = verdict
  return {
    phase: conclusion,
    because: taken ? text : `${text} Vercel takes no conclusion of it any more.`,
  }
}
