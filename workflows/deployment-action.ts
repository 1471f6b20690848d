import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import type { Step } from '../activities/opening.ts'
import type { Report, SucceededReport } from '../activities/report-outcome.ts'
import type { ActionStep } from '../activities/resource.ts'
import { joinWishes, type Wish } from '../src/domain/action-event.ts'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { ActionEnd, ActionRequest } from '../src/domain/action-run.ts'
import {
  deprovision,
  migrate,
  openAction,
  provision,
  ready,
  reportFailed,
  reportSucceeded,
  reportSucceededAtOnce,
  requestCancellation,
} from './activities.ts'
import { Compensations } from './compensations.ts'
import { cutOffAt } from './cut-off-at.ts'
import { explainFailure } from './explain-failure.ts'
import { cancelSignal, cleanupSignal } from './messages.ts'
import { pinToVersion } from './pin-to-version.ts'
import { showPhase } from './show-phase.ts'
import { Waiters } from './waiters.ts'

// Pauses between two reports of one outcome: short for a held build, long enough for a day-long outage of Vercel.
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 60_000
/** A request to cancel this run that has not come by then was lost. */
const ASK_FOR_CANCELLATION_AGAIN_MS = 10_000
/** How long Vercel must show nothing of a deployment that may have the outcome before it counts as removed. */
const VANISHED_FOR_MS = 30_000
/**
 * How long after the deadline an outcome waits for its turn, when Vercel takes no more updates a minute: the work is
 * done, and to report `failed` would take the same turn.
 */
const WAIT_IN_LINE_FOR_MS = 45 * 60_000
/** How long after the deadline an outcome that Vercel may have is still asked about. */
const ASK_VERCEL_FOR_MS = 6 * 3_600_000

/**
 * One started action: does the provider's work while Vercel holds the build, reports the outcome, and takes
 * everything back when the action is canceled, cleaned up or fails.
 *
 * Ends as Completed when it succeeded or had nothing to do, as Canceled when it was withdrawn, as Failed when Vercel
 * was told `failed`; whatever the end, only a succeeded action leaves something at the provider.
 */
export async function deploymentAction(request: ActionRequest): Promise<ActionEnd> {
  const root = CancellationScope.current()
  const work = new CancellationScope()
  const compensations = new Compensations()
  const waiters = new Waiters()
  let wish: Wish = 'run'
  const withdraw = (stronger: Wish) => {
    wish = joinWishes(wish, stronger)
    work.cancel()
  }
  setHandler(cancelSignal, () => withdraw('canceled'))
  setHandler(cleanupSignal, () => withdraw('cleaned'))
  // An operator may cancel the run in the Web UI: that is a cancel like Vercel's.
  root.cancelRequested.catch(() => withdraw('canceled'))

  let failure: ApplicationFailure | undefined
  try {
    const end = await work.run(() => holdBuild(request, compensations))
    if (end.phase === 'canceled') withdraw('canceled')
    if (wish === 'run') await waiters.tell(end)
    // A signal may have come with the very task that ends the run.
    if (wish === 'run') {
      showPhase(end)
      return end
    }
  } catch (error) {
    if (wish === 'run') failure = explainFailure(error)
  }

  showPhase({ phase: 'undoing', because: failure?.message ?? `Vercel wants it ${wish}.` })
  const undo = () => compensations.run().then(() => undefined, explainFailure)
  // What an earlier run may have reported stays until it is withdrawn, although this run failed.
  const kept = request.resumed === true && wish === 'run'
  let leftover = kept ? undefined : await undo()
  if (failure && wish === 'run') await tellFailure(request, failure, work)
  await waiters.tell(
    failure
      ? { phase: 'failed', because: failure.message }
      : { phase: 'canceled', because: 'Everything that was made is undone.' },
  )
  if (kept && wish !== 'run') leftover = await undo()
  const end = leftover ?? (wish === 'run' ? failure : undefined)
  if (end) {
    showPhase({ phase: 'failed', because: end.message })
    throw end
  }
  return await endWithdrawn(request.key, wish === 'run' ? 'canceled' : wish, root)
}

// A run takes minutes. A compensation may take hours, and goes on with whatever version is current.
pinToVersion(deploymentAction)

/** Returns once Vercel took or refused the report, or the action was withdrawn meanwhile. */
async function tellFailure(
  request: ActionRequest,
  failure: ApplicationFailure,
  work: CancellationScope,
): Promise<void> {
  try {
    await work.run(() => reportFailed({ key: request.key, reason: failure.message }))
  } catch (error) {
    if (!(error instanceof ActivityFailure) && !isCancellation(error)) throw error
  }
}

async function holdBuild(request: ActionRequest, compensations: Compensations): Promise<ActionEnd> {
  const { key, teamId, deadlineMs } = request
  const deadlineAt = Date.now() + deadlineMs
  const outOfTime = ApplicationFailure.nonRetryable(
    `Not finished within ${Math.round(deadlineMs / 1000)} seconds, so everything was undone and the build is not held any longer: deploy again, and ask the provider if it happens again.`,
    'deadline_passed',
  )
  const opened = await openAction({ ...request, deadlineAt })
  const { deployment, options, steps, skipped, report } = opened
  if (deployment.standing !== 'waiting') {
    return {
      phase: 'skipped',
      because: `Deployment ${key.deploymentId} is not waiting for the action (${deployment.standing}): nothing was made.`,
    }
  }
  const step = {
    key,
    ...(teamId && { teamId }),
    deployment,
    options,
    deadlineAt,
    ...(skipped !== undefined && { skipped }),
  }
  const reference =
    steps.length > 0
      ? await cutOffAt(deadlineAt, outOfTime, () => takeSteps(step, steps, request, compensations))
      : undefined
  const end = await deliverOutcome({ ...step, reference }, outOfTime, request, report)
  return skipped !== undefined && end.phase === 'succeeded'
    ? { phase: 'skipped', because: skipped }
    : end
}

/** Does the provider's work. Answers what its provision wants to be remembered. */
async function takeSteps(
  step: ActionStep,
  names: readonly Step[],
  { reportRunningAfterMs }: ActionRequest,
  compensations: Compensations,
): Promise<unknown> {
  const { key, deployment } = step
  const activities = { provision, migrate, ready }
  let reference: unknown
  for (const [index, name] of names.entries()) {
    if (name === 'provision') compensations.add(() => deprovision({ key, deployment }))
    // Where there is nothing to be done but the report, `running` would only delay it.
    const announced = index === 0 && reportRunningAfterMs !== null && { reportRunningAfterMs }
    const result = await activities[name]({ ...step, reference, ...announced })
    if (name === 'provision') reference = result
  }
  return reference
}

/**
 * Reports `succeeded` until Vercel's answer is known, going on from the first report's where there is one. Once Vercel
 * may have it, the deadline undoes nothing any more: only the deployment decides, because a build may use what an undo
 * would destroy.
 */
async function deliverOutcome(
  step: Omit<SucceededReport, 'mayHaveBeenTaken'>,
  outOfTime: ApplicationFailure,
  { resumed, headStart }: Pick<ActionRequest, 'resumed' | 'headStart'>,
  first: Report | undefined,
): Promise<ActionEnd> {
  const kept: ActionEnd = {
    phase: 'succeeded',
    because:
      'Vercel never said whether it has the outcome; what was made is kept until its cleanup.',
  }
  const { deadlineAt } = step
  let mayHaveBeenTaken = resumed === true
  const report = (isFirst: boolean) =>
    tryReport(() =>
      isFirst && headStart !== undefined
        ? reportSucceededAtOnce({ ...step, mayHaveBeenTaken, headStart })
        : reportSucceeded({ ...step, mayHaveBeenTaken }),
    )
  let answer = first ?? (await report(true))
  let vanishedAt: number | undefined
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if (answer.kind !== 'vanished') vanishedAt = undefined
    switch (answer.kind) {
      case 'taken':
        return { phase: 'succeeded', because: answer.because }
      case 'over':
        return { phase: 'canceled', because: answer.because }
      case 'refused':
        throw ApplicationFailure.nonRetryable(answer.because, 'report_refused')
      case 'vanished':
        mayHaveBeenTaken = true
        if (vanishedAt === undefined) {
          vanishedAt = Date.now()
          pauseMs = FIRST_PAUSE_MS
        }
        if (Date.now() - vanishedAt >= VANISHED_FOR_MS)
          return { phase: 'canceled', because: answer.because }
        await sleep(pauseMs)
        break
      case 'undecided':
        mayHaveBeenTaken = true
        if (Date.now() >= deadlineAt) return kept
        await sleep(pauseMs)
        break
      case 'in-line':
        mayHaveBeenTaken = answer.mayHaveBeenTaken
        if (Date.now() + answer.afterMs >= deadlineAt + WAIT_IN_LINE_FOR_MS) {
          if (mayHaveBeenTaken) return kept
          throw outOfTime
        }
        // Neither earlier nor later: a place in the line is kept for seconds only.
        await sleep(answer.afterMs)
        pauseMs = FIRST_PAUSE_MS
        break
      case 'again': {
        mayHaveBeenTaken = answer.mayHaveBeenTaken
        const wait = Math.max(answer.afterMs, pauseMs)
        if (!mayHaveBeenTaken && Date.now() + wait >= deadlineAt) throw outOfTime
        if (Date.now() >= deadlineAt + ASK_VERCEL_FOR_MS) return kept
        await sleep(wait)
      }
    }
    answer = await report(answer.kind === 'in-line' && answer.isFirstToCome === true)
  }
}

async function tryReport(report: () => Promise<Report>): Promise<Report> {
  try {
    return await report()
  } catch (error) {
    if (CancellationScope.current().consideredCancelled || isFinal(error)) throw error
    // The try was cut off with its worker, perhaps after Vercel had it.
    return { kind: 'again', mayHaveBeenTaken: true, afterMs: 0 }
  }
}

/** Ends as Canceled: a run that was merely signalled would show as Completed, beside the succeeded ones. */
async function endWithdrawn(
  key: ActionKey,
  wish: Exclude<Wish, 'run'>,
  root: CancellationScope,
): Promise<never> {
  showPhase({ phase: wish, because: 'Everything that was made is undone.' })
  const { runId } = workflowInfo()
  while (!root.consideredCancelled) {
    await CancellationScope.nonCancellable(async () => {
      await requestCancellation({ key, runId })
      await condition(() => root.consideredCancelled, ASK_FOR_CANCELLATION_AGAIN_MS)
    })
  }
  throw new CancelledFailure(`The action was ${wish}, and everything it made is undone.`)
}

function isFinal(error: unknown): boolean {
  // That of a local activity comes without a wrapping.
  const failure = error instanceof ActivityFailure ? error.cause : error
  return failure instanceof ApplicationFailure && failure.nonRetryable === true
}
