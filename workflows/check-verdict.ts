import { ActivityFailure, ApplicationFailure, TemporalFailure } from '@temporalio/workflow'
import type { OpenedCheck } from '../activities/open-check.ts'
import type { CheckRunEnd, CheckRunKey, CheckVerdict } from '../src/domain/check-run.ts'
import { verdictOnAction } from '../src/domain/check-verdict.ts'
import { runCheckWithin } from './activities.ts'
import { untilActionEnds } from './until-action-ends.ts'

/** Waits for the action whose work the check looks at, and checks, until `deadlineAt` (milliseconds since 1970). */
export async function verdictOfCheck(
  { check, action, deployment, resourceId, externalUrl }: OpenedCheck,
  {
    key,
    teamId,
    deadlineAt,
  }: { key: CheckRunKey; teamId?: string | undefined; deadlineAt: number },
): Promise<CheckVerdict> {
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
export function verdictOnFailure(error: unknown): CheckVerdict {
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

export function outOfTime(what: string): CheckVerdict {
  return { conclusion: 'timeout', text: `${what} when the time of the check was over.` }
}

/** Concludes the check with this verdict, by `tell`, which answers whether Vercel took it. */
export async function conclude(
  { conclusion, text = 'The check was run.' }: CheckVerdict,
  tell: () => Promise<boolean>,
): Promise<CheckRunEnd> {
  const taken = await tell().catch((error: unknown) => {
    if (error instanceof ActivityFailure) return false
    throw error
  })
  return {
    phase: conclusion,
    because: taken ? text : `${text} Vercel takes no conclusion of it any more.`,
  }
}
