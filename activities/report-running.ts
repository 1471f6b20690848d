import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { ActionKey } from '../src/domain/action-key.ts'
import { updateActionStatus } from '../src/vercel/action-status.ts'
import type { Dependencies } from './dependencies.ts'

/**
 * Shorter than the heartbeat timeout of the work it stands beside: a worker that stood still for longer sends nothing
 * any more, since another one may have reported the end meanwhile.
 */
const RUNNING_WITHIN_MS = 1500

/**
 * Does the work, and tells Vercel beside it that it has begun, once it has taken `afterMs`. Ends when both have: so
 * `running` comes before a terminal status or not at all. Best effort: it is sent in the first attempt only, and what
 * Vercel says to it changes nothing.
 */
export async function besideRunning<Result>(
  { vercel, log }: Pick<Dependencies, 'vercel' | 'log'>,
  { key, signal, afterMs }: { key: ActionKey; signal: AbortSignal; afterMs: number },
  work: () => Promise<Result>,
): Promise<Result> {
  if (Context.current().info.attempt > 1) return await work()
  const worked = new AbortController()
  const sendBy = performance.now() + afterMs + RUNNING_WITHIN_MS
  const report = async () => {
    const over = AbortSignal.any([signal, worked.signal])
    // What ends the wait is looked at below.
    if (afterMs > 0) await delay(afterMs, undefined, { signal: over }).catch(() => {})
    const left = Math.round(sendBy - performance.now())
    if (over.aborted || left <= 0) return
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(left)])
      await updateActionStatus(vercel, key, { kind: 'running' }, within)
    } catch (error) {
      log.warn('report.running_dropped', { ...key, error })
    }
  }
  const reported = report()
  try {
    return await work()
  } finally {
    worked.abort()
    await reported
  }
}
