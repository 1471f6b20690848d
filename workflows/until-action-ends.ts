import {
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { type ActionKey, actionWorkflowId } from '../src/domain/action-key.ts'
import type { ActionEnd } from '../src/domain/action-run.ts'
import { readActionEndWithin } from './activities.ts'
import { actionEndedSignal, awaitEndSignal } from './messages.ts'

/** When the action's start may be on its way, or its run closed between two looks. */
const LOOK_AGAIN_SOON_MS = 2000
/** A run that was terminated, or goes on with older code, tells nobody. */
const LOOK_AGAIN_MS = 60_000

/**
 * Waits for the end of an action: its own run tells it, so that nothing is kept busy meanwhile. Answers `none` when the
 * deployment has no such action, and undefined when it is still at work at `deadlineAt` (milliseconds since 1970).
 */
export async function untilActionEnds(
  action: ActionKey,
  teamId: string | undefined,
  deadlineAt: number,
): Promise<ActionEnd | 'none' | undefined> {
  let told: ActionEnd | undefined
  setHandler(actionEndedSignal, (end) => void (told = end))
  const about = { action, ...(teamId !== undefined && { teamId }) }
  while (Date.now() < deadlineAt) {
    const seen = await readActionEndWithin(deadlineAt - Date.now()).readActionEnd(about)
    if (seen.kind === 'ended') return seen.end
    if (seen.kind === 'none' && !seen.mayCome) return 'none'
    const leftMs = Math.max(deadlineAt - Date.now(), 1)
    if (seen.kind === 'open' && (await askToBeTold(action))) {
      await condition(() => told !== undefined, Math.min(leftMs, LOOK_AGAIN_MS))
      if (told) return told
    } else {
      await sleep(Math.min(leftMs, LOOK_AGAIN_SOON_MS))
    }
  }
  return undefined
}

/** Whether a run was there to be asked. */
async function askToBeTold(action: ActionKey): Promise<boolean> {
  const { workflowId } = workflowInfo()
  try {
    await getExternalWorkflowHandle(actionWorkflowId(action)).signal(awaitEndSignal, { workflowId })
    return true
  } catch (error) {
    if (isCancellation(error)) throw error
    return false
  }
}
