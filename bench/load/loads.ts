import { setTimeout as sleep } from 'node:timers/promises'
import { type Measured, startAction, type Target } from './action.ts'
import { within } from './within.ts'

const END_WITHIN_MS = 60_000

/** One action after the other: the next begins `pauseMs` after the last has ended. Ends early after `limitMs`. */
export async function oneAtATime(
  target: Target,
  load: { readonly count: number; readonly limitMs: number; readonly pauseMs?: number },
): Promise<Measured[]> {
  const { count, limitMs, pauseMs } = load
  const until = performance.now() + limitMs
  const measured: Measured[] = []
  while (measured.length < count && performance.now() < until) {
    measured.push(await finish(target))
    if (pauseMs) await sleep(pauseMs)
  }
  return measured
}

/**
 * A constant rate, whatever the system does (an open loop): a system that falls behind is not spared, and its
 * overhead counts from when the webhook was due. Rejects when the last has not ended `drainMs` after the last start.
 */
export async function atRate(
  target: Target,
  load: { readonly perSecond: number; readonly count: number; readonly drainMs: number },
): Promise<Measured[]> {
  const begin = performance.now()
  const measured: Promise<Measured>[] = []
  for (let sent = 0; sent < load.count; sent += 1) {
    const due = begin + (sent * 1000) / load.perSecond
    const early = due - performance.now()
    if (early > 0) await sleep(early)
    const lateMs = Math.max(performance.now() - due, 0)
    const action = startAction(target).measured.then((each) => ({
      ...each,
      ackMs: each.ackMs + lateMs,
      overheadMs: each.overheadMs + lateMs,
    }))
    action.catch(() => {})
    measured.push(action)
  }
  return await within(load.drainMs, `${load.count} actions to end`, Promise.all(measured))
}

/**
 * So many at a time, each replaced when it ends (a closed loop). Returns when `count` have ended, or no more is begun
 * after `limitMs` and the last has ended.
 */
export async function closedLoop(
  target: Target,
  load: { readonly concurrency: number; readonly count: number; readonly limitMs: number },
): Promise<Measured[]> {
  const until = performance.now() + load.limitMs
  const measured: Measured[] = []
  let begun = 0
  const lane = async () => {
    while (begun < load.count && performance.now() < until) {
      begun += 1
      measured.push(await finish(target))
    }
  }
  await Promise.all(Array.from({ length: load.concurrency }, lane))
  return measured
}

function finish(target: Target): Promise<Measured> {
  const { deploymentId, measured } = startAction(target)
  return within(END_WITHIN_MS, `the action of ${deploymentId} to end`, measured)
}
