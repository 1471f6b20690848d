import { CancellationScope, setHandler } from '@temporalio/workflow'
import {
  checkDeadlineAt,
  type CheckRunEnd,
  type CheckRunRequest,
  type CheckVerdict,
  type CheckWish,
} from '../src/domain/check-run.ts'
import { concludeCheckRun, openCheckRun } from './activities.ts'
import { conclude, verdictOfCheck, verdictOnFailure } from './check-verdict.ts'
import { cancelSignal } from './messages.ts'
import { pinToVersion } from './pin-to-version.ts'
import { showPhase } from './show-phase.ts'

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
    concludeRun(request, isCanceled() ? CANCELED : reached),
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
  const { deadlineMs, timeoutSeconds } = opened
  const deadlineAt = checkDeadlineAt({ occurredAt, now: Date.now(), deadlineMs, timeoutSeconds })
  return await verdictOfCheck(opened, { key, teamId, deadlineAt })
}

async function concludeRun(
  { key, teamId }: CheckRunRequest,
  verdict: CheckVerdict | undefined,
): Promise<CheckRunEnd> {
  if (!verdict) return { phase: 'over', because: 'Vercel had ended the run by itself.' }
  const team = teamId !== undefined && { teamId }
  return await conclude(verdict, () =>
    concludeCheckRun({ key, ...team, verdict, completedAt: Date.now() }),
  )
}
