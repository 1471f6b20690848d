import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { ActionKey } from '../src/domain/action-key.ts'
import { updateActionStatus } from '../src/vercel/action-status.ts'
import type { StepCall } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'

/**
 * Shorter than the heartbeat timeout of the work it stands beside: a worker that stood still for longer sends nothing
 * any more, since another one may have reported the end meanwhile.
 */
const RUNNING_WITHIN_MS = 1500
/** How long a step works before Vercel is told more of it: updates are few, and most steps are over by then. */
const TELL_MORE_EVERY_MS = 15_000

/**
 * Does the work, and tells Vercel beside it that it has begun, once it has taken `afterMs`; of long work also what it
 * says of its progress. Ends when both have: so `running` comes before a terminal status or not at all. Best effort:
 * what Vercel says to it changes nothing. A second attempt counts what the first one took, and tells nothing that was
 * to be told at once.
 */
export async function besideRunning<Result>(
  { vercel, log }: Pick<Dependencies, 'vercel' | 'log'>,
  {
    key,
    call,
    afterMs,
    againEveryMs = TELL_MORE_EVERY_MS,
  }: { key: ActionKey; call: StepCall; afterMs: number; againEveryMs?: number },
  work: (call: StepCall) => Promise<Result>,
): Promise<Result> {
  const { attempt, scheduledTimestampMs } = Context.current().info
  if (attempt > 1 && afterMs === 0) return await work(call)
  const firstAfterMs = attempt === 1 ? afterMs : scheduledTimestampMs + afterMs - Date.now()
  const worked = new AbortController()
  const over = AbortSignal.any([call.signal, worked.signal])
  let progress = ''

  const report = async () => {
    let told: string | undefined
    for (let dueAt = performance.now() + Math.max(firstAfterMs, 0); ; dueAt += againEveryMs) {
      const waitMs = dueAt - performance.now()
      // What ends the wait is looked at below.
      if (waitMs > 0) await delay(waitMs, undefined, { signal: over }).catch(() => {})
      const leftMs = Math.round(dueAt + RUNNING_WITHIN_MS - performance.now())
      if (over.aborted || leftMs <= 0) return
      if (told === progress) continue
      told = progress
      try {
        const within = AbortSignal.any([call.signal, AbortSignal.timeout(leftMs)])
        await updateActionStatus(vercel, key, { kind: 'running', progress }, within)
      } catch (error) {
        log.warn('report.running_dropped', { ...key, error })
      }
    }
  }

  const reported = report()
  try {
    return await work({
      ...call,
      progress(text) {
        progress = text
        call.progress(text)
      },
    })
  } finally {
    worked.abort()
    await reported
  }
}
